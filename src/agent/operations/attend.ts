/** What the worker does with the recorder: watches, keeps what outlives the process, evaluates triggers. One of each in a thread. */

import { oomKillsNow } from '../../proc/cgroup.ts';
import type { TriggersState } from '../../protocol/history.ts';
import { adoptBoxes, boxEveryMs, writeBox } from '../crash/box.ts';
import { Kept } from '../crash/kept.ts';
import { watchMemory } from '../crash/memory.ts';
import { watchSleeping } from '../crash/on-standby.ts';
import { crashRecord, lastMinutes } from '../crash/record.ts';
import type { Identity } from '../membership/identity.ts';
import type { RecorderTask } from '../recorder/task.ts';
import { isLeaving } from '../recorder/unseen-session.ts';
import { startWatch, type Watch } from '../recorder/watch.ts';
import type { Resident } from '../resident.ts';
import { startTriggers } from '../triggers/triggers.ts';

interface Attended {
  readonly watch: Watch | undefined;
  readonly kept: Kept | undefined;
  /** Makes records of what processes of this store left that are gone. Throws what the file system throws. */
  adopt(): void;
  /** Whether something is under way that is not to be interrupted. */
  busy(): boolean;
  /** Sentences for `version`. */
  notes(): string[];
  triggers(): TriggersState | null;
}

const nobody: Attended = {
  ...{ watch: undefined, kept: undefined },
  ...{ adopt: () => {}, busy: () => false, notes: () => [], triggers: () => null },
};
let attended = nobody;

/** What this thread attends to; nothing where there is no recorder, such as in a sidecar. */
export function recorder(): Attended {
  return attended;
}

/**
 * `residents`: whom this thread answers for as long as the process lives; undefined for one that was woken for a while.
 */
export function attend(
  { recorded, kept: settings, triggers, notes }: RecorderTask,
  { info }: Identity,
  residents: (() => readonly Resident[]) | undefined,
): void {
  const said = [...notes];
  const resident = residents !== undefined;
  const oomKills = (): number | null => {
    const limit = watch?.memoryLimit();
    return limit ? oomKillsNow(limit) : null;
  };
  const adopt = (): void => void (kept && adoptBoxes(kept, info.container, oomKills));
  let watch: Watch | undefined;
  let kept: Kept | undefined;
  try {
    kept = settings ? new Kept(settings) : undefined;
    adopt();
  } catch (error) {
    said.push(`crash records cannot be kept in ${settings?.base}: ${(error as Error).message}`);
  }
  const rules = startTriggers(triggers, { kept, info, recorded: recorded !== null, resident });
  let boxedAt = Number.NEGATIVE_INFINITY;
  const sleeping = kept && residents ? watchSleeping(kept, residents) : undefined;
  const memory = kept && watchMemory(kept, info, sleeping);

  function second(seen: Watch): void {
    rules.second(seen);
    if (!kept || !resident) return;
    const killed = oomKills();
    const gone = sleeping?.second(seen.memoryLimit()?.limitBytes ?? null, killed);
    const due = performance.now() - boxedAt >= boxEveryMs;
    if (gone || due) adopt();
    if (!due) return;
    boxedAt = performance.now();
    const { stacks, recording } = seen;
    const history = lastMinutes(recording, seen.settings.stallMs, { points: 300, stacks });
    const record = crashRecord(info, 'killed', 'the process ended without a chance to say why', { history });
    writeBox(kept, record, killed, () => !isLeaving());
  }

  watch = recorded
    ? startWatch(recorded, { second, look: (seen) => memory?.look(seen, seen.memoryLimit()) })
    : undefined;
  const errors = () => rules.state()?.errors ?? [];
  const state = { adopt, busy: () => memory?.busy() ?? false, triggers: rules.state };
  attended = { watch, kept, ...state, notes: () => [...said, ...errors()] };
}
