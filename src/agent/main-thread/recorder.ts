/** What the main thread holds for the recorder: its memory, counters of V8 and libuv, and the witness of its end. Never throws. */
import { type Counters, installCounters } from '../../inspect/counters.ts';
import { type LastRecord, type Witness, watchForCrashes } from '../crash/witness.ts';
import type { Identity } from '../membership/identity.ts';
import { Recording } from '../recorder/recording.ts';
import type { RecorderTask } from '../recorder/task.ts';
import { keptSettings } from '../settings/kept-settings.ts';
import { recorderSettings } from '../settings/recorder-settings.ts';
import { triggerSettings } from '../settings/trigger-settings.ts';

export function startRecorder(
  { info }: Identity,
  environment: Readonly<Record<string, string | undefined>>,
  give: (record: LastRecord) => boolean,
): {
  /** For a worker that starts: from then on V8 and libuv count what it reads. */
  task(): RecorderTask;
  /** The worker has ended. */
  rest(): void;
  /** What is to be kept of a process that exits; undefined for an end that says enough. */
  last(code: number): LastRecord | undefined;
  /** Does what is left to do on the way out, where no worker does it. */
  finish(last: LastRecord | undefined): void;
  stop(): void;
} {
  const settings = recorderSettings(environment);
  const kept = keptSettings(environment);
  const recording = settings.enabled ? new Recording() : undefined;
  let counters: Counters | undefined;
  const rest = (): void => {
    counters?.uninstall();
    counters = undefined;
  };
  const witness: Witness | undefined = kept
    ? watchForCrashes(kept, { info, recording, stallMs: settings.stallMs, give })
    : undefined;
  return {
    task() {
      counters = recording && installCounters();
      return {
        recorded:
          recording && counters
            ? { buffer: recording.buffer, settings, turns: counters.turns, perTurn: counters.perTurn }
            : null,
        kept,
        triggers: triggerSettings(environment),
        notes: settings.notes,
      };
    },
    rest,
    last: (code) => witness?.last(code),
    finish: (last) => witness?.finish(last),
    stop() {
      rest();
      witness?.stop();
    },
  };
}
