import { threadId } from 'node:worker_threads';
import type { Inspector } from '../../inspect/inspector.ts';
import { openLocal } from '../../inspect/local.ts';
import type { Subject } from '../../inspect/subject.ts';
import type { Recording } from './recording.ts';

/** How often it is looked whether the app ends. */
const lookMs = 5;

/**
 * A line to the main thread for what nobody asked for. An app that ends while a session is open prints "Waiting for the debugger
 * to disconnect…": so the main thread says when it ends, and the session is closed before it goes on.
 * Throws what `openLocal` throws.
 */
export function openUnseen(recording: Recording): Inspector {
  const inspector = openLocal();
  recording.sessions(1);
  let open = true;
  const close = async (): Promise<void> => {
    if (!open) return;
    open = false;
    clearInterval(looking);
    // disconnects before it returns
    const closed = inspector.close();
    recording.sessions(-1);
    await closed;
  };
  const looking = setInterval(() => recording.leaving && void close(), lookMs);
  return {
    post: (method, params, options) => inspector.post(method, params, options),
    on: (method, listener) => inspector.on(method, listener),
    rest: () => inspector.rest?.(),
    close,
  };
}

/** The app's own process, with a session that is closed before the app can end. `close` when done. */
export function ownSubject(recording: Recording): { subject: Subject; close(): void } {
  const opened: { close(): Promise<void> }[] = [];
  return {
    subject: {
      pid: process.pid,
      procDir: '/proc/self',
      lastKnown: new Map(),
      ownThreadId: threadId,
      async inspector() {
        const inspector = openUnseen(recording);
        opened.push(inspector);
        return inspector;
      },
    },
    close: () => opened.forEach((inspector) => void inspector.close()),
  };
}
