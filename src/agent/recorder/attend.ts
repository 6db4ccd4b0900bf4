/** What the worker does with the recorder: watches, keeps what outlives the process, evaluates triggers. One of each in a thread. */
import { adoptBoxes, boxEveryMs, writeBox } from '../crash/box.ts';
import { Kept } from '../crash/kept.ts';
import { watchMemory } from '../crash/memory.ts';
import { crashRecord, lastMinutes } from '../crash/record.ts';
import type { Identity } from '../identity.ts';
import { startTriggers } from '../triggers/triggers.ts';
import type { RecorderTask } from './start.ts';
import { startWatch, type Watch } from './watch.ts';

interface Attended {
  readonly watch: Watch | undefined;
  readonly kept: Kept | undefined;
  readonly container: string | null;
  /** Sentences for `version`. */
  notes(): string[];
}

const nobody: Attended = { watch: undefined, kept: undefined, container: null, notes: () => [] };
let attended = nobody;

/** What this thread attends to; nothing where there is no recorder, such as in a sidecar. */
export function recorder(): Attended {
  return attended;
}

/** `resident`: whether this thread stays as long as the process. */
export function attend(
  { recorded, kept: settings, triggers, notes }: RecorderTask,
  { info }: Identity,
  resident: boolean,
): void {
  const said = [...notes];
  let kept: Kept | undefined;
  try {
    kept = settings ? new Kept(settings) : undefined;
    kept?.sweep();
    if (kept) adoptBoxes(kept, info.container);
  } catch (error) {
    said.push(`crash records cannot be kept in ${settings?.base}: ${(error as Error).message}`);
  }
  const rules = startTriggers(triggers, kept, info);
  let boxedAt = Number.NEGATIVE_INFINITY;
  const memory = kept && watchMemory(kept, info);
  const second = (watch: Watch): void => {
    memory?.(watch);
    rules.second(watch);
    if (!kept || !resident || performance.now() - boxedAt < boxEveryMs) return;
    boxedAt = performance.now();
    const { stacks } = watch;
    const history = lastMinutes(watch.recording, watch.settings.stallMs, { points: 300, stacks });
    writeBox(kept, crashRecord(info, 'killed', 'the process ended without a chance to say why', { history }));
  };
  const watch = recorded ? startWatch(recorded, second) : undefined;
  if (!watch && (triggers.text || triggers.file)) said.push('NODEOPS_RECORDER is off, so triggers are not evaluated');
  attended = { watch, kept, container: info.container, notes: () => [...said, ...rules.notes()] };
}
