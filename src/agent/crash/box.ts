/**
 * The black box: the last minutes of a process, written every 15 s while it lives, so that they are there when it is killed without a
 * chance to say anything. A clean exit removes it; what is left by a process that is gone becomes a crash record.
 */
import { readdirSync, readFileSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type CrashRecord, isCrashRecord } from '../../protocol/crash.ts';
import { startTicks } from '../awake/holder.ts';
import { isAlive } from '../config-dir.ts';
import { ownPrefix } from '../jobs/directory.ts';
import { type Kept, type KeptSettings, writeAtomically } from './kept.ts';
import { recordName } from './record.ts';

export const boxEveryMs = 15_000;
/** A process of another container cannot be looked up: it is gone when it has not written for so long, or its container runs anew. */
const silentMs = 40_000;
const file = /^\.box-(\w+)-(\d+)-(\d+)-$/;

/** Not listed, as long as its process lives. */
function boxName(): string {
  return `.box-${ownPrefix()}`;
}

export function writeBox(kept: Kept, record: CrashRecord): void {
  const text = Buffer.from(JSON.stringify(record));
  kept.makeRoom(text.length);
  writeAtomically(join(kept.directory, 'crash', boxName()), text);
}

/** At a clean exit; throws when there is none. */
export function removeBox({ base }: KeptSettings): void {
  try {
    unlinkSync(join(base, `nodeops-${process.getuid?.() ?? 'user'}`, 'crash', boxName()));
  } catch {
    // none was written
  }
}

/** Makes records of what processes left that are gone. */
export function adoptBoxes(kept: Kept, container: string | null): void {
  const folder = join(kept.directory, 'crash');
  const [, namespace] = file.exec(boxName()) ?? [];
  for (const name of readdirSync(folder)) {
    const [, where, pid, ticks] = file.exec(name) ?? [];
    if (where === undefined || name === boxName()) continue;
    const path = join(folder, name);
    try {
      const record: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (!isCrashRecord(record)) unlinkSync(path);
      else if (where === namespace ? isGone(Number(pid), ticks!) : hasRestarted(record, container) || isSilent(path))
        renameSync(path, join(kept.directory, recordName('killed', Number(pid), new Date(record.at))));
    } catch {
      // another agent was faster, or it is no record: it is tried again by the next one
    }
  }
}

function isGone(pid: number, ticks: string): boolean {
  return !isAlive(pid) || startTicks(pid) !== ticks;
}

/** Whether a record is of the container that this process runs in, before it was restarted. */
function hasRestarted({ process: { container, host } }: CrashRecord, own: string | null): boolean {
  return own !== null && container === own && host === hostname();
}

function isSilent(path: string): boolean {
  return Date.now() - statSync(path).mtimeMs > silentMs;
}
