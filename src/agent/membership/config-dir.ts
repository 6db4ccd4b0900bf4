/** `configDir/PID` holds the agent's port, as with gops: how a process is found by its id on the same machine. */
import { closeSync, constants, openSync, readdirSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../../proc/identity.ts';
import { makeDirectory } from '../../protocol/make-directory.ts';
import { isOwnPort, type Listener } from './ports.ts';

/**
 * Writes the file of a process; false where that is not possible (read-only file system, no rights, no space).
 * Written beside and renamed: a link somebody put in its place is replaced, not followed.
 */
export function writePortFile(configDir: string, pid: number, port: number): boolean {
  const temporary = join(configDir, `.${pid}.${process.hrtime.bigint()}`);
  try {
    makeDirectory(configDir);
    const file = openSync(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0),
      0o600,
    );
    try {
      writeSync(file, String(port));
    } finally {
      closeSync(file);
    }
    renameSync(temporary, join(configDir, String(pid)));
    return true;
  } catch {
    try {
      unlinkSync(temporary);
    } catch {
      // it never came to be
    }
    return false;
  }
}

/** Removes the file of a process if it still names that port: containers may share a directory, and number processes alike. */
export function removePortFile(configDir: string, pid: number, port: number): void {
  const file = join(configDir, String(pid));
  try {
    if (readFileSync(file, 'utf8').trim() === String(port)) unlinkSync(file);
  } catch {
    // gone already, or never written
  }
}

/**
 * Removes files of processes that ended without a chance to do so: nobody of that number runs here, and nobody listens on its port.
 * Containers may share a directory and number processes alike, so that neither alone is enough.
 */
export function removeStaleFiles(configDir: string, listeners: readonly Listener[] | undefined): void {
  if (!listeners) return;
  const ports = new Set(listeners.map(({ port }) => port));
  for (const name of namesIn(configDir)) {
    if (!/^[1-9]\d*$/.test(name) || isAlive(Number(name))) continue;
    const file = join(configDir, name);
    try {
      const port = Number(readFileSync(file, 'utf8').trim());
      // what another program keeps there is none of ours
      if (isOwnPort(port) && !ports.has(port)) unlinkSync(file);
    } catch {
      // somebody else was faster, or it is another user's
    }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

// The worker writes the file while the main thread may be leaving and removing it: words 1 and 2 of what they share say so.
const writing = 1;
const leaving = 2;
/** A write to a file system that hangs does not keep the app from ending. */
const writerMs = 50;

/** In the worker: writes, unless the main thread is on its way out. */
export function writeUnlessLeaving(shared: Int32Array, write: () => void): void {
  Atomics.store(shared, writing, 1);
  if (Atomics.load(shared, leaving) === 0) write();
  Atomics.store(shared, writing, 0);
  Atomics.notify(shared, writing);
}

/** In the main thread, when it ends: waits for a write that has begun, and lets none begin. */
export function waitForWriter(shared: Int32Array): void {
  Atomics.store(shared, leaving, 1);
  Atomics.wait(shared, writing, 1, writerMs);
}
