/** What the main thread holds for the recorder: its memory, counters of V8 and libuv, and the witness of its end. Never throws. */
import { type Counters, installCounters } from '../../inspect/counters.ts';
import { watchForCrashes } from '../crash/witness.ts';
import type { Identity } from '../membership/identity.ts';
import { Recording } from '../recorder/recording.ts';
import type { RecorderTask } from '../recorder/task.ts';
import { keptSettings } from '../settings/kept-settings.ts';
import { recorderSettings } from '../settings/recorder-settings.ts';
import { triggerSettings } from '../settings/trigger-settings.ts';
import { guarded } from './guarded.ts';

/** How long an ending app waits for sessions of ours to be closed; it takes some milliseconds. */
const leaveMs = 100;

export function startRecorder(
  { info }: Identity,
  environment: Readonly<Record<string, string | undefined>>,
): {
  /** For a worker that starts: from then on V8 and libuv count what it reads. */
  task(): RecorderTask;
  /** The worker has ended. */
  rest(): void;
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
  const leave = guarded(() => recording?.leave(leaveMs));
  if (recording) process.on('exit', leave);
  const stopWatching = kept ? watchForCrashes(kept, { info, recording, stallMs: settings.stallMs }) : () => {};
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
    stop() {
      rest();
      process.off('exit', leave);
      stopWatching();
    },
  };
}
