import type { BesideHeapProfile, CaptureParameters } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { evaluateProbe } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';
import { allocationRate, intervalFor } from './allocation-rate.ts';
import type { ArtifactSink, CaptureControl } from './capture.ts';
import { stillNative } from './cpu-sampling.ts';
import { collectMs, lapse, patiently, startMs } from './patience.ts';
import { buffersProbe, heapLimitProbe } from './probes.ts';

/** Samples kept: about 150 bytes of each wait in the app until the profile is fetched. */
const samplesKept = 1_000_000;
/** So many a second cost an app half a percent, and tell apart what a quiet one allocates. */
const samplesPerSecond = 500;
const leastInterval = 4_096;

/**
 * A sampling profile of the heap as V8 writes it (`.heapprofile`): of what was allocated meanwhile and is live, or with
 * `alloc` of all that was allocated meanwhile. Throws `busy` while the app is sampling its heap itself: V8 has one such
 * profiler for all, and ours would end theirs.
 */
export async function capturePprofHeap(
  subject: Subject,
  { duration, interval: asked, alloc, external }: CaptureParameters<'pprof-heap'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  const inspector = await subject.inspector();
  const starting = 'starting the heap profiler';
  let started = false;
  try {
    await patiently(inspector, control, starting, ['HeapProfiler.enable'], startMs);
    await refuseWhileTaken(inspector, control, starting);
    const { heapLimitBytes } = await evaluateProbe(inspector, heapLimitProbe, {});
    const rate = alloc || asked === undefined ? await allocationRate(inspector, control, duration) : 0;
    const sampled = alloc ? Math.max(heapLimitBytes, (rate * duration) / 1000) : heapLimitBytes;
    const interval = Math.max(
      asked ?? intervalFor(rate, samplesPerSecond, leastInterval),
      Math.ceil(sampled / samplesKept),
    );
    if (asked !== undefined && interval > asked)
      control.note(
        `sampled every ${interval} bytes instead of ${asked}, so that no more than ${samplesKept} samples wait in the process`,
      );
    const buffersBefore = external ? await liveBuffers(inspector, control) : 0;
    started = true;
    await patiently(
      inspector,
      control,
      starting,
      [
        'HeapProfiler.startSampling',
        {
          samplingInterval: interval,
          includeObjectsCollectedByMajorGC: alloc,
          includeObjectsCollectedByMinorGC: alloc,
        },
      ],
      startMs,
    );
    control.phase(alloc ? 'sampling allocations' : 'sampling the heap');
    await lapse(control, duration);
    const arrayBufferBytes = external ? (await liveBuffers(inspector, control)) - buffersBefore : undefined;
    const fetching = 'fetching the profile';
    const { profile } = await patiently<{ profile: object }>(
      inspector,
      control,
      fetching,
      ['HeapProfiler.stopSampling'],
      collectMs,
    );
    started = false;
    const nodeops = { samplingIntervalBytes: interval, arrayBufferBytes } satisfies BesideHeapProfile;
    await sink.write(JSON.stringify({ ...profile, nodeops }));
  } catch (error) {
    throw stillNative(error, started ? 'hand out the heap profile' : 'start the heap profiler');
  } finally {
    // also much later: commands are served in the order they were sent
    if (started) inspector.post('HeapProfiler.stopSampling', {}, { timeoutMs: collectMs }).catch(() => {});
    inspector.post('HeapProfiler.disable', {}, { timeoutMs: collectMs }).catch(() => {});
  }
}

/** Bytes that ArrayBuffers hold, what is garbage not counted. */
async function liveBuffers(inspector: Inspector, control: CaptureControl): Promise<number> {
  await patiently(inspector, control, 'collecting garbage', ['HeapProfiler.collectGarbage'], collectMs);
  return evaluateProbe(inspector, buffersProbe, {});
}

/** V8 answers for whoever started it, and refuses while nobody did: that refusal is what is hoped for. */
export async function refuseWhileTaken(inspector: Inspector, control: CaptureControl, phase: string): Promise<void> {
  try {
    await patiently(inspector, control, phase, ['HeapProfiler.getSamplingProfile'], startMs);
  } catch (error) {
    if (error instanceof NodeopsError && error.code === 'failed' && /not started/.test(error.message)) return;
    throw error;
  }
  throw new NodeopsError('busy', 'the app, or another tool attached to it, is sampling its heap already', {
    hint: 'try again when it has ended; `heapsnapshot` does not need the sampling profiler',
  });
}
