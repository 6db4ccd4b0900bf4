import { threadId } from 'node:worker_threads';
import type { Inspector } from '../../inspect/inspector.ts';
import { openLocal } from '../../inspect/local.ts';
import type { Subject } from '../../inspect/subject.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { Departure } from './departure.ts';

/** Of this thread's process; its own where nobody shares one with it, such as in a sidecar. */
let departure = new Departure();
const lines = new Set<{ end(): Promise<void> }>();

/** In a worker, as it starts. */
export function shareDeparture(shared: Departure): void {
  departure = shared;
}

/** Whether the main thread ends. */
export const isLeaving = (): boolean => departure.leaving;

/** The main thread ends: closes every session, as it waits for. */
export function endSessions(): void {
  for (const line of lines) void line.end();
}

/**
 * A line to this process's main thread, that is closed before the app can end.
 * Throws what `openLocal` throws, and `no-such-process` while the main thread ends.
 */
export function openUnseen(): Inspector {
  if (!departure.enter()) throw new NodeopsError('no-such-process', 'the process is about to end');
  let inspector: Inspector;
  try {
    inspector = openLocal(() => !departure.leaving);
  } catch (error) {
    departure.done();
    throw error;
  }
  const line = {
    open: true,
    async end(): Promise<void> {
      if (!line.open) return;
      line.open = false;
      lines.delete(line);
      // disconnects before it returns
      const closed = inspector.close();
      departure.done();
      await closed;
    },
  };
  lines.add(line);
  return {
    post: (method, params, options) => inspector.post(method, params, options),
    on: (method, listener) => inspector.on(method, listener),
    rest: () => inspector.rest?.(),
    close: () => line.end(),
  };
}

/** The app's own process, with sessions that are closed before the app can end. `close` when done. */
export function ownSubject(): { subject: Subject; close(): void } {
  const opened: { close(): Promise<void> }[] = [];
  return {
    subject: {
      pid: process.pid,
      procDir: '/proc/self',
      lastKnown: new Map(),
      ownThreadId: threadId,
      async inspector() {
        const inspector = openUnseen();
        opened.push(inspector);
        return inspector;
      },
    },
    close: () => opened.forEach((inspector) => void inspector.close()),
  };
}
