/**
 * One at a time in a store, whichever thread, process or container shares it. A token is renamed to be taken: that is atomic, and
 * who died with it is succeeded by renaming it once more, which one alone can do. Synchronous, for a process that is about to end.
 */
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';
import { makeDirectory } from '../../protocol/make-directory.ts';
import { isRunning, ownPrefix } from './owner.ts';

const folder = '.turn';
const free = 'free';
const taken = /^held-(\w+-\d+-\d+-)\d+-\d+$/;
/**
 * A turn takes some milliseconds. Who was seen to hold it for so long is taken for ended, though that cannot be looked up: by a
 * clock that runs evenly and with many looks, for a machine may stand still for seconds with somebody in his turn.
 */
const heldMs = 3_000;
const heldLooks = 200;
const pauseMs = 2;
let turns = 0;

/** What `act` returns. Throws what it throws, and after `waitMs` in vain an Error that says so: an app's own thread waits for less. */
export function exclusively<T>(store: string, act: () => T, waitMs = isMainThread ? 1_000 : 5_000): T {
  const token = join(store, folder);
  const mine = join(token, `held-${ownPrefix()}${threadId}-${++turns}`);
  take(token, mine, waitMs);
  try {
    return act();
  } finally {
    // false for one who took so long that another has succeeded
    move(mine, join(token, free));
  }
}

function take(token: string, mine: string, waitMs: number): void {
  const endAt = performance.now() + waitMs;
  let seen = { name: '', since: 0, looks: 0 };
  for (;;) {
    if (move(join(token, free), mine)) return;
    const names = list(token);
    if (names.length === 0) make(token);
    for (const name of names) {
      seen = name === seen.name ? { ...seen, looks: seen.looks + 1 } : { name, since: performance.now(), looks: 0 };
      const isLong = seen.looks >= heldLooks && performance.now() - seen.since > heldMs;
      if ((hasEnded(name) || isLong) && move(join(token, name), mine)) return;
    }
    if (performance.now() > endAt) throw new Error(`${token} is held by another process (${names.join()})`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}

function hasEnded(name: string): boolean {
  const [, owner] = taken.exec(name) ?? [];
  return owner !== undefined && isRunning(owner) === false;
}

/** There is never a second one: a directory is not renamed to one that holds something. */
function make(token: string): void {
  makeDirectory(join(token, '..'));
  const made = mkdtempSync(`${token}-`);
  try {
    writeFileSync(join(made, free), '');
    renameSync(made, token);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
