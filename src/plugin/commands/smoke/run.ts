/** What was seen of one process during a run; checks are made from it alone. */
import type { NodeopsError } from '../../../protocol/errors.ts';
import type { TargetName } from '../../render/target-name.ts';
import type { Target } from '../../target.ts';
import type { Sample } from '../top/sample.ts';
import type { Figure, Missing } from './figure.ts';
import type { Pauses } from './pauses.ts';
import type { Presence } from './presence.ts';
import type { Point } from './statistics.ts';

/** One sample: what `top` shows of a moment, and how long the pauses before it were. */
export interface Seen extends Sample {
  readonly atMs: number;
  /** null for the first, and without an agent in the process. */
  readonly pauses: Pauses | null;
}

export interface ProcessRun {
  readonly target: Target;
  readonly name: TargetName;
  /** What the pod belongs to, such as a Deployment's name; the pod's own without an owner; null for no pod. */
  readonly workload: string | null;
  /** null while it has not answered */
  readonly versions: { readonly node: string; readonly agent: string } | null;
  readonly samples: readonly Seen[];
  /** Samples that were due. */
  readonly due: number;
  /** Polls that failed, and the last reason. */
  readonly failed: number;
  readonly problem: NodeopsError | undefined;
  /** Heap used after each forced collection. */
  readonly afterGc: readonly Point[];
  readonly gcProblem: NodeopsError | undefined;
  /** How often its uptime began anew between two samples. */
  readonly resets: number;
  /** Exceptions and rejections between the first and the last reading. */
  readonly uncaught: Figure | Missing;
  /** When the run was over. */
  readonly presence: Presence;
  /** By the pod's status; null when that could not be read, or for no pod. */
  readonly restarts: number | null;
}
