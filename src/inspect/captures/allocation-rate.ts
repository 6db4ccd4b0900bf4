/** How much a process allocates, measured by V8's own sampling: what heap usage shows between collections is too coarse. */
import type { Inspector } from '../inspector.ts';
import type { CaptureControl } from './capture.ts';
import { collectMs, lapse, patiently, startMs } from './patience.ts';

/** A gigabyte a second gives 4,000 samples in the time below. */
const coarseBytes = 64 * 1024;
const watchedMs = 250;

interface Sampled {
  readonly profile: { readonly samples?: readonly { readonly size: number }[] };
}

/**
 * Bytes allocated each second, from sampling what is allocated for a quarter of a second, garbage included. `HeapProfiler` is enabled, and
 * nobody else samples. `afterMs`: what the capture takes besides.
 */
export async function allocationRate(inspector: Inspector, control: CaptureControl, afterMs: number): Promise<number> {
  const phase = 'measuring how much is allocated';
  const all = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  const start = ['HeapProfiler.startSampling', { samplingInterval: coarseBytes, ...all }] as const;
  await patiently(inspector, control, phase, [...start], startMs);
  try {
    const began = performance.now();
    await lapse(control, watchedMs, afterMs);
    const { profile } = await patiently<Sampled>(
      inspector,
      control,
      phase,
      ['HeapProfiler.getSamplingProfile'],
      collectMs,
    );
    const seconds = (performance.now() - began) / 1000;
    return (profile.samples ?? []).reduce((sum, { size }) => sum + size, 0) / seconds;
  } finally {
    // commands are served in the order they were sent
    inspector.post('HeapProfiler.stopSampling', {}, { timeoutMs: collectMs }).catch(() => {});
  }
}

/** Bytes between samples so that about so many are taken each second: each costs the app some ten microseconds. */
export function intervalFor(bytesPerSecond: number, samplesPerSecond: number, leastBytes: number): number {
  const most = 1024 * 1024;
  return Math.round(Math.min(most, Math.max(leastBytes, bytesPerSecond / samplesPerSecond)));
}
