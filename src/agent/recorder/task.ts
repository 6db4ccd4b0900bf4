import type { KeptSettings } from '../settings/kept-settings.ts';
import type { TriggerSettings } from '../settings/trigger-settings.ts';
import type { Recorded } from './watch.ts';

/** What the worker is told of the recorder. */
export interface RecorderTask {
  /** Null where the recorder is off. */
  readonly recorded: Recorded | null;
  /** Null without a directory that outlives the container. */
  readonly kept: KeptSettings | null;
  readonly triggers: TriggerSettings;
  /** What was asked for in vain. */
  readonly notes: readonly string[];
}
