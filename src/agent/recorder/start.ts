/** What runs in the main thread beside the agent: the recorder's pulse, and the witness of its end. Never throws. */
import { installCounters } from '../../inspect/counters.ts';
import type { KeptSettings } from '../crash/kept.ts';
import { keptSettings } from '../crash/settings.ts';
import { watchForCrashes } from '../crash/witness.ts';
import type { Identity } from '../identity.ts';
import { guarded } from '../main-thread/guarded.ts';
import { type TriggerSettings, triggerSettings } from '../triggers/settings.ts';
import { type Pulse, startPulse } from './pulse.ts';
import { recorderSettings } from './settings.ts';
import type { Recorded } from './watch.ts';

/** What the worker is told of it. */
export interface RecorderTask {
  /** Null where the recorder is off. */
  readonly recorded: Recorded | null;
  /** Null without a directory that outlives the container. */
  readonly kept: KeptSettings | null;
  readonly triggers: TriggerSettings;
  /** What was asked for in vain. */
  readonly notes: readonly string[];
}

/** How long an ending app waits for sessions of ours to be closed; it takes some milliseconds. */
const leaveMs = 100;

/** `heapShort`: called when the heap begins to be short, for an agent that sleeps and cannot see it. */
export function startRecorder(
  { info }: Identity,
  environment: Readonly<Record<string, string | undefined>>,
  heapShort: () => void,
): { task: RecorderTask; stop(): void } {
  const settings = recorderSettings(environment);
  const kept = keptSettings(environment);
  const pulse: Pulse | undefined = settings.enabled
    ? startPulse(settings, () => installCounters().gc(), kept ? heapShort : undefined)
    : undefined;
  const leave = guarded(() => pulse?.recording.leave(leaveMs));
  if (pulse) process.on('exit', leave);
  const stopWatching = kept
    ? watchForCrashes(kept, { info, recording: pulse?.recording, stallMs: settings.stallMs })
    : () => {};
  return {
    task: {
      recorded: pulse ? { buffer: pulse.recording.buffer, settings } : null,
      kept,
      triggers: triggerSettings(environment),
      notes: settings.notes,
    },
    stop() {
      pulse?.stop();
      process.off('exit', leave);
      stopWatching();
    },
  };
}
