/** Gives a reading its Subject, and ends whatever it opened. */
import { threadId } from 'node:worker_threads';
import type { Inspector } from '../../inspect/inspector.ts';
import type { Subject } from '../../inspect/subject.ts';
import { openUnseen } from '../recorder/unseen-session.ts';
import type { Resident } from '../resident.ts';
import { openOutside } from './outside.ts';

/** Last known figures, kept as long as the process is known here. */
const lastKnown = new WeakMap<object, Map<string, unknown>>();
const self = {};

/**
 * Runs `read` on a process: from its own worker, or from outside. Whatever lines to the inspector it leaves open, because it
 * gave up or was given up, are closed at the end. `openMs`: how long an inspector may take to open; default: what a reading can wait.
 */
export async function look<T>(resident: Resident, read: (subject: Subject) => Promise<T>, openMs?: number): Promise<T> {
  const { asleep, info } = resident;
  const key = asleep ?? self;
  const figures = lastKnown.get(key) ?? new Map<string, unknown>();
  lastKnown.set(key, figures);
  const opened: Promise<Inspector>[] = [];
  const subject: Subject = {
    pid: info.pid,
    procDir: asleep ? `/proc/${info.pid}` : '/proc/self',
    async inspector() {
      const line = asleep ? openOutside(info.pid, asleep, openMs) : Promise.resolve().then(openUnseen);
      opened.push(line);
      return line;
    },
    lastKnown: figures,
    ownThreadId: asleep ? undefined : threadId,
  };
  try {
    return await read(subject);
  } finally {
    for (const line of opened) line.then((inspector) => inspector.close()).catch(() => {});
  }
}
