/** What a capture is saved as: as the agent made it, or as pprof, converted here. */

import type { CaptureName } from '../../protocol/captures.ts';
import type { ArtifactFormat, ConversionRequest, Converted, Origin } from './conversion.ts';

/** Extension with its dot; the kind is part of it, since a pprof file does not show from outside what it holds. */
export function extensionOf(capture: CaptureName, format: ArtifactFormat): string {
  const made = { 'pprof-cpu': '.cpuprofile', 'pprof-heap': '.heapprofile' };
  if (format === 'pprof') return capture === 'pprof-heap' ? '.heap.pb.gz' : '.cpu.pb.gz';
  const others = { trace: '.trace.json', heapsnapshot: '.heapsnapshot', leaks: '.leaks.json', report: '.report.json' };
  return { ...made, ...others }[capture];
}

/** Makes of a capture's bytes what is saved. Throws `failed` when they are no such profile. */
export type Convert = (bytes: Uint8Array, origin: Origin) => Promise<Converted>;

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
