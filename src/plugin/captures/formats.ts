/** What a capture is saved as: as the agent made it, or as pprof, converted here. */

import type { Profile } from '../../formats/model.ts';
import type { SourceMapLookup } from '../../formats/source-maps.ts';
import type { CaptureName, JobInfo } from '../../protocol/captures.ts';
import type { TargetName } from '../render/target-name.ts';

export type ArtifactFormat = 'pprof' | 'v8';

/** Extension with its dot; the kind is part of it, since a pprof file does not show from outside what it holds. */
export function extensionOf(capture: CaptureName, format: ArtifactFormat): string {
  const made = { 'pprof-cpu': '.cpuprofile', 'pprof-heap': '.heapprofile' };
  if (format === 'pprof') return capture === 'pprof-heap' ? '.heap.pb.gz' : '.cpu.pb.gz';
  const others = { trace: '.trace.json', heapsnapshot: '.heapsnapshot', report: '.report.json' };
  return { ...made, ...others }[capture];
}

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

/** Makes of a capture's bytes what is saved. Throws `failed` when they are no such profile. */
export type Convert = (bytes: Uint8Array, origin: Origin) => Promise<Converted>;

export interface ConversionRequest {
  readonly format: ArtifactFormat;
  readonly sourceMaps: SourceMapLookup | undefined;
}

/** The conversion of a capture; undefined where its bytes are saved as they come. */
export async function conversion(
  capture: CaptureName,
  { format, sourceMaps }: ConversionRequest,
): Promise<Convert | undefined> {
  if (capture !== 'pprof-cpu' && capture !== 'pprof-heap') return undefined;
  const { convertCpu, convertHeap } = await import('./convert.ts');
  const convert = capture === 'pprof-cpu' ? convertCpu : convertHeap;
  return (bytes, origin) => convert(bytes, origin, { format, sourceMaps });
}
