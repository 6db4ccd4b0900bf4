/** The reply of `exceptions`: what was thrown, by where. */
import type { Frame } from './frame.ts';

export interface ExceptionGroup {
  /** `uncaught` and `rejection`: counted since `since`. `thrown`: seen while it was watched, caught or not. */
  origin: 'uncaught' | 'rejection' | 'thrown';
  /** The error's name, or the type of what is no error. */
  name: string;
  /** Of the last one, its first line, secrets masked; at most 300 characters. */
  message: string;
  /** Where it was made or thrown, innermost first; empty where that is not known. */
  frames: Frame[];
  count: number;
  /** ISO 8601, the process's clock. */
  firstAt: string;
  lastAt: string;
}

export interface ExceptionsReply {
  /** ISO 8601, since when uncaught exceptions and unhandled rejections are kept, the last 50 kinds; null where nobody keeps them. */
  since: string | null;
  /** Last ones first. */
  groups: ExceptionGroup[];
  /** Only where `caught` asked for it. */
  watched: {
    /** Until it was over, or 100 were seen. */
    windowMs: number;
    /** Exceptions that were thrown meanwhile, each of which paused the main thread for about a millisecond. */
    seen: number;
    /** How long the main thread stood still for it, as seen from the agent: at most. */
    pausedMs: number;
  } | null;
}
