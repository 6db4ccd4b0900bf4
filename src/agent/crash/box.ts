/**
 * The black box: the last minutes of a process, written every 15 s while it lives, so that they are there when it is killed without a
 * chance to say anything. A clean exit removes it; what is left by a process that is gone becomes a crash record.
 */
import { readdirSync, readFileSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashRecord } from '../../protocol/crash.ts';
import { isCrashRecord } from '../../protocol/crash.ts';
import { ownPrefix } from '../jobs/directory.ts';
import { isAlive } from '../config-dir.ts';
import { startTicks } from '../awake/holder.ts';
import { type Kept, type KeptSettings, writeAtomically } from './kept.ts';
import { recordName } from './record.ts';

export const boxEveryMs = 15_000;
/** A process of another container cannot be looked up: it is gone when it has not written for so long. */
const silentMs = 60_000;
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
export function adoptBoxes(kept: Kept): void {
  const folder = join(kept.directory, 'crash');
  const [, namespace] = file.exec(boxName()) ?? [];
  for (const name of readdirSync(folder)) {
    const [, where, pid, ticks] = file.exec(name) ?? [];
    if (where === undefined || name === boxName()) continue;
    const path = join(folder, name);
    try {
      const gone =
        where === namespace
          ? !isAlive(Number(pid)) || startTicks(Number(pid)) !== ticks
          : Date.now() - statSync(path).mtimeMs > silentMs;
      if (!gone) continue;
      const record: unknown = JSON.parse(readFileSync(path, 'utf8'));
      if (isCrashRecord(record)) renameSync(path, join(kept.directory, recordName('killed', Number(pid), new Date(record.at))));
      else unlinkSync(path);
    } catch {
      // another agent was faster, or it is no record: it is tried again by the next one
    }
  }
}
