/**
 * The black box: the last minutes of a process, written every 15 s while it lives, so that they are there when it is killed without a
 * chance to say anything. A clean exit removes it; what is left by a process that is gone becomes a crash record.
 */
import { existsSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type CrashRecord, isCrashRecord } from '../../protocol/crash.ts';
import { bytesShort, percent } from '../../protocol/text/quantities.ts';
import type { KeptSettings } from '../settings/kept-settings.ts';
import { exclusively } from '../store/lock.ts';
import { isRunning, ownPrefix, prefixOf } from '../store/owner.ts';
import { discard } from '../store/room.ts';
import type { Kept } from './kept.ts';
import { recordName } from './record.ts';

export const boxEveryMs = 15_000;
/** A process of another container cannot be looked up: it is gone when it has not written for so long, or its container runs anew. */
const silentMs = 40_000;
/** How long an ending app waits for its turn to remove it. */
const removeMs = 100;
const file = /^\.box-((\w+)-(\d+)-\d+-)$/;

/** What a box holds besides: how many processes of the container the kernel had killed for memory by then. */
interface Box extends CrashRecord {
  oomKills?: number | null;
}

/** Not listed, as long as its process lives. */
function boxOf(owner: string): string {
  return `crash/.box-${owner}`;
}

/** Writes the box of a process of this pid namespace, unless `may` says no in the end. */
export function writeBox(kept: Kept, record: CrashRecord, oomKills: number | null, may: () => boolean): boolean {
  const { pid } = record.process;
  const owner = pid === process.pid ? ownPrefix() : prefixOf(pid);
  return kept.put(boxOf(owner), JSON.stringify({ ...record, oomKills } satisfies Box), may);
}

/** Whether a process has a box: one that ends by itself removes it. */
export function hasBox(kept: Kept, owner: string): boolean {
  return existsSync(join(kept.directory, boxOf(owner)));
}

/** Removes the box of a process that somebody else wrote just as it ended. */
export function dropBox(kept: Kept, owner: string): void {
  discard(join(kept.directory, boxOf(owner)));
}

/** At a clean exit, and in turn: whoever writes it at this moment would put it back. Throws when there is none. */
export function removeBox({ base }: KeptSettings): void {
  const directory = join(base, `nodeops-${process.getuid?.() ?? 'user'}`);
  if (!existsSync(join(directory, 'crash'))) return;
  const remove = () => unlinkSync(join(directory, boxOf(ownPrefix())));
  try {
    exclusively(directory, remove, removeMs);
  } catch {
    remove();
  }
}

/** Makes records of what processes left that are gone. `oomKills`: processes of this container that the kernel has killed for memory so far. */
export function adoptBoxes(kept: Kept, container: string | null, oomKills: () => number | null): void {
  const folder = join(kept.directory, 'crash');
  const [, own, namespace] = file.exec(`.box-${ownPrefix()}`) ?? [];
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const [, owner, where, pid] = file.exec(name) ?? [];
    if (owner === undefined || owner === own) continue;
    const path = join(folder, name);
    const isNeighbour = where === namespace;
    try {
      const box: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (!isCrashRecord(box)) unlinkSync(path);
      else if (isNeighbour ? isRunning(owner) === false : hasRestarted(box, container) || isSilent(path))
        adopt(kept, path, box, Number(pid), isNeighbour ? oomKills() : null);
    } catch {
      // another agent was faster, or it is no record: it is tried again by the next one
    }
  }
}

/** One agent does, however many see it: the one that gets the box under another name. */
function adopt(
  kept: Kept,
  path: string,
  { oomKills: before, ...record }: Box,
  pid: number,
  oomKills: number | null,
): void {
  const mine = `${path}.${ownPrefix()}0.part`;
  renameSync(path, mine);
  const killed = before != null && oomKills !== null ? oomKills - before : 0;
  const summary = [
    record.summary,
    ...lastMemory(record),
    ...(killed > 0 ? [`since then the kernel has killed ${killed} of this container's processes for memory`] : []),
  ].join('; ');
  const name = recordName('killed', pid, new Date(record.at));
  try {
    kept.write(name, JSON.stringify({ ...record, summary } satisfies CrashRecord));
    unlinkSync(mine);
  } catch (error) {
    renameSync(mine, path);
    throw error;
  }
}

function lastMemory({ history }: CrashRecord): string[] {
  const rss = history?.series.rssBytes.mean.findLast((value) => value !== null);
  const limit = history?.memoryLimitBytes;
  if (!rss) return [];
  const share = limit ? `, ${percent(rss / limit)} of the container's limit of ${bytesShort(limit)}` : '';
  return [`when last seen its resident memory was ${bytesShort(rss)}${share}`];
}

/** Whether a record is of the container that this process runs in, before it was restarted. */
function hasRestarted({ process: { container, host } }: CrashRecord, own: string | null): boolean {
  return own !== null && container === own && host === hostname();
}

function isSilent(path: string): boolean {
  return Date.now() - statSync(path).mtimeMs > silentMs;
}
