import type { Profile } from '../../formats/model.ts';
import type { CaptureName, JobInfo } from '../../protocol/captures.ts';
import type { TargetName } from '../render/target-name.ts';
import type { Target } from '../target.ts';
import type { ArtifactFormat } from './conversion.ts';
import type { Destination } from './destination.ts';
import type { Convert } from './formats.ts';
import type { CaptureLimits } from './limits.ts';

export interface CaptureRequest {
  readonly capture: CaptureName;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** More of them that depend on the process; called before the capture starts. */
  readonly parametersOf?: ((name: TargetName) => Promise<Readonly<Record<string, unknown>>>) | undefined;
  /** The Kubernetes node of a pod, for labels; asked while the capture runs, and only where the target does not tell. */
  readonly nodeOf?: ((pod: NonNullable<Target['endpoint']['pod']>) => Promise<string | undefined>) | undefined;
  readonly format: ArtifactFormat;
  readonly convert: Convert | undefined;
  readonly destination: Destination;
  /** Until a process has said who it is, and until the capture has begun. */
  readonly timeoutMs: number;
  /** Most that is taken of an artifact. @default captureLimits.artifactBytes */
  readonly maxBytes?: number | undefined;
  readonly limits?: CaptureLimits;
}

export interface SavedFile {
  /** null on stdout */
  readonly path: string | null;
  readonly bytes: number;
  /** Of the file, hex. */
  readonly sha256: string;
}

export interface Collected {
  readonly name: TargetName;
  readonly job: JobInfo;
  readonly files: readonly SavedFile[];
  readonly profile: Profile | undefined;
  readonly notes: readonly string[];
}
