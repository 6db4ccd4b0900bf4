/** One inspector session lent to one asker after the other: what an asker began is ended when it gives the session back. */
import type { Inspector } from '../../inspect/inspector.ts';
import { NodeopsError } from '../../protocol/errors.ts';

/** What ends everything that a domain began; a `disable` also lets a paused process run on. */
const endings: Readonly<Record<string, string>> = {
  Debugger: 'Debugger.disable',
  Profiler: 'Profiler.disable',
  HeapProfiler: 'HeapProfiler.disable',
  NodeWorker: 'NodeWorker.disable',
  NodeTracing: 'NodeTracing.stop',
  Runtime: 'Runtime.disable',
};
/** Each is acknowledged at the next interrupt of whatever runs there. */
const endMs = 500;

/**
 * The session for one asker; closing it gives it back. `back` is told whether it can be lent again: not when the main
 * thread did not say that what was begun has ended.
 */
export function lend(session: Inspector, back: (clean: boolean) => Promise<void>): Inspector {
  const used = new Set<string>();
  const stops = new Set<() => void>();
  let closing: Promise<void> | undefined;

  const giveBack = async (): Promise<void> => {
    for (const stop of stops) stop();
    const ends = [...used].map((domain) => session.post(endings[domain]!, {}, { timeoutMs: endMs }));
    const results = await Promise.allSettled(ends);
    await back(results.every(isEnded));
  };
  return {
    post(method, params, options) {
      if (closing)
        return Promise.reject(new NodeopsError('no-such-process', `the session was closed before ${method} was sent`));
      const [domain = ''] = method.split('.');
      if (domain in endings && method !== 'Runtime.evaluate') used.add(domain);
      return session.post(method, params, options);
    },
    on(method, listener) {
      const stop = session.on(method, listener);
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close() {
      closing ??= giveBack();
      return closing;
    },
  };
}

/** A refusal is as good: there was nothing to end. */
function isEnded(result: PromiseSettledResult<unknown>): boolean {
  return result.status === 'fulfilled' || (result.reason instanceof NodeopsError && result.reason.code === 'failed');
}

/** Whether the other end is still there. A main thread that does not answer is. */
export async function isAlive(session: Inspector): Promise<boolean> {
  try {
    await session.post('NodeRuntime.disable', {}, { timeoutMs: 50 });
    return true;
  } catch (error) {
    return error instanceof NodeopsError && error.code !== 'no-such-process';
  }
}
