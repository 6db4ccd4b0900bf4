import { Session } from 'node:inspector';
import { NodeopsError } from '../protocol/errors.ts';
import { limits } from '../protocol/limits.ts';
import { AttachedWorkers } from './attached.ts';
import type { Inspector } from './inspector.ts';
import { refusedCommand, stuckAfter } from './posts.ts';

/**
 * While connected our own loop turns at least this often: on Node 26 an answer does not always wake a worker that waits in
 * its loop (seen in one of four questions while another worker ran execSync), and it is taken in when the loop turns.
 */
const turnMs = 10;

/**
 * A line from a worker thread to the inspector of its own process's main thread.
 * Throws `unsupported` on the main thread and where Node was built without an inspector. `may`: asked before a line that rested
 * is taken up again.
 */
export function openLocal(may: () => boolean = () => true): Inspector {
  if (isForbidden()) throw new NodeopsError('unsupported', 'the permission model gives this process no inspector');
  const session = new Session();
  const attached = new AttachedWorkers((method, listener) => {
    session.on(method, ({ params }) => listener(params as never));
  });
  let turning: NodeJS.Timeout | undefined;
  const connect = (): void => {
    if (turning) return;
    session.connectToMainThread();
    turning = setInterval(() => {}, turnMs);
  };
  const disconnect = (): void => {
    if (!turning) return;
    clearInterval(turning);
    turning = undefined;
    attached.letGo((method, params) => session.post(method, params));
    session.disconnect();
  };
  try {
    connect();
  } catch (error) {
    throw new NodeopsError('unsupported', `no inspector of the main thread here: ${(error as Error).message}`, {
      cause: error,
    });
  }
  let open = true;
  return {
    post<R>(
      method: string,
      params?: object,
      { timeoutMs = limits.readDeadlineMs }: { timeoutMs?: number } = {},
    ): Promise<R> {
      if (!open) return Promise.reject(ended(method));
      if (!turning && !may()) return Promise.reject(ended(method));
      connect();
      return new Promise<R>((resolve, reject) => {
        const timer = setTimeout(() => reject(stuckAfter(method, timeoutMs)), timeoutMs);
        session.post(method as 'Runtime.evaluate', params as { expression: string }, (error, result) => {
          clearTimeout(timer);
          if (!error) resolve(result as R);
          else reject(turning ? refusedCommand(method, error) : ended(method));
        });
      });
    },
    on(method, listener) {
      const forward = (message: { params: unknown }): void => listener(message.params as never);
      session.on(method, forward);
      return () => session.off(method, forward);
    },
    rest: disconnect,
    async close() {
      open = false;
      disconnect();
    },
  };
}

/** Connecting would abort the process. */
function isForbidden(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission !== undefined && !permission.has('inspector');
}

function ended(method: string): NodeopsError {
  return new NodeopsError('no-such-process', `the inspector session ended before ${method} was answered`);
}
