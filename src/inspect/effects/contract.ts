/** The table entries and replies of the effects, to be part of the protocol's table of operations. */
import type { Operation } from '../../protocol/operations.ts';

export const effectOperations = {
  gc: {
    effect: 'effect',
    scope: 'process',
    summary: 'Run a full garbage collection and print what it freed',
    cost: 'long pause',
    parameters: {},
  },
  setgc: {
    effect: 'effect',
    scope: 'process',
    summary: 'Set how far the heap may grow before the next major garbage collection',
    cost: 'none',
    parameters: {
      percent: { type: 'text', summary: 'growth in percent, 1 to 10000, or off', maxLength: 8 },
    },
  },
} as const satisfies Record<string, Operation>;

export interface GcReply {
  /** `usedBefore - usedAfter`, zero when the app allocated more meanwhile. */
  freedBytes: number;
  usedBeforeBytes: number;
  usedAfterBytes: number;
  /** Size of the heap as reserved from the system. */
  totalBeforeBytes: number;
  totalAfterBytes: number;
  /** How long JavaScript stood still, at most: it includes the way to the main thread and back. */
  pauseMs: number;
}

export interface SetgcReply {
  /** Percent; null: V8 decides for itself, from how fast it allocates and collects. */
  previous: number | null;
  current: number | null;
  /** What V8 made of it, in one sentence. */
  note: string;
}

export type EffectName = keyof typeof effectOperations;
