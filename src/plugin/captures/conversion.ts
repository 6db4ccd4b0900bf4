import type { Profile } from '../../formats/model.ts';
import type { SourceMapLookup } from '../../formats/source-maps.ts';
import type { JobInfo } from '../../protocol/captures.ts';
import type { TargetName } from '../render/target-name.ts';

export type ArtifactFormat = 'pprof' | 'v8';

/** Where a profile comes from, for its labels. */
export interface Origin {
  readonly target: TargetName;
  readonly nodeVersion: string;
  /** The Kubernetes node, where it is known. */
  readonly node?: string | undefined;
  readonly job: JobInfo;
}

/** One file that a capture becomes. */
export interface Piece {
  /** Put after the stem; empty unless one artifact becomes several files. */
  readonly suffix: string;
  readonly bytes: Uint8Array;
}

export interface Converted {
  readonly pieces: readonly Piece[];
  /** What `top` and its like are made of, and what is merged. */
  readonly profile: Profile;
}

export interface ConversionRequest {
  readonly format: ArtifactFormat;
  readonly sourceMaps: SourceMapLookup | undefined;
}
