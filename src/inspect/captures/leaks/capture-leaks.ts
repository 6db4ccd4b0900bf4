import type { CaptureParameters } from '../../../protocol/captures.ts';
import type { LeakLook, LeakSite, LeaksReport } from '../../../protocol/leaks.ts';
import { evaluateProbe } from '../../evaluate.ts';
import { type CallFrame, toFrame } from '../../frames.ts';
import type { Inspector } from '../../inspector.ts';
import { SourceMaps } from '../../source-maps.ts';
import type { Subject } from '../../subject.ts';
import { allocationRate, intervalFor } from '../allocation-rate.ts';
import type { ArtifactSink, CaptureControl } from '../capture.ts';
import { stillNative } from '../cpu-sampling.ts';
import { collectMs, lapse, patiently, startMs } from '../patience.ts';
import { refuseWhileTaken } from '../pprof-heap.ts';
import { withoutInlining } from './inlining.ts';
import { type Census, takeCensus } from './keepers.ts';
import { lookProbe } from './probes.ts';
import { judgeSurvivors, leastSamples, type SampledHeap, type SiteVerdict } from './survivors.ts';
import { grownOf, growthOf, type Weighed, weigh } from './verdicts.ts';

/** Looks at survivors: each collects garbage first. */
const looksTaken = 6;
const samplesPerSecond = 1_000;
const leastInterval = 2_048;
/** Sites whose keepers are looked for, and those that are told. */
const [suspectsLooked, sitesTold] = [16, 50];
/** A census of a larger heap stops the app for too long: V8 collects several times and looks at every object. */
const censusHeapBytes = 1024 ** 3;
const phases = {
  start: 'starting the heap profiler',
  collect: 'collecting garbage',
  keepers: 'looking for what keeps it',
};

interface Looked {
  readonly look: LeakLook;
  readonly modules: number;
  readonly ordinal: number;
  readonly profile: SampledHeap;
}

/** Which sites keep ever more, without a snapshot: survivors of sampling by age, between forced collections. */
export async function captureLeaks(
  subject: Subject,
  { duration, interval: asked }: CaptureParameters<'leaks'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  const inspector = await subject.inspector();
  let sampling = false;
  let inlineAgain = async (): Promise<void> => {};
  try {
    await patiently(inspector, control, phases.start, ['HeapProfiler.enable'], startMs);
    await refuseWhileTaken(inspector, control, phases.start);
    const rate = asked === undefined ? await allocationRate(inspector, control, duration) : 0;
    const interval = asked ?? intervalFor(rate, samplesPerSecond, leastInterval);
    inlineAgain = await withoutInlining(inspector, duration);
    sampling = true;
    await patiently(
      inspector,
      control,
      phases.start,
      ['HeapProfiler.startSampling', { samplingInterval: interval }],
      startMs,
    );
    await sink.write(JSON.stringify(await watch(subject, inspector, { duration, interval }, control)));
  } catch (error) {
    throw stillNative(error, 'look at what survives');
  } finally {
    void inlineAgain();
    // also much later: commands are served in the order they were sent
    if (sampling) inspector.post('HeapProfiler.stopSampling', {}, { timeoutMs: collectMs }).catch(() => {});
    inspector.post('HeapProfiler.disable', {}, { timeoutMs: collectMs }).catch(() => {});
  }
}

async function watch(
  subject: Subject,
  inspector: Inspector,
  { duration, interval }: { readonly duration: number; readonly interval: number },
  control: CaptureControl,
): Promise<LeaksReport> {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const looked: Looked[] = [];
  let half: { readonly at: number; readonly census: Census | null } | undefined;
  for (let look = 1; look <= looksTaken && !control.stopped.aborted; look++) {
    control.phase('waiting for what survives');
    // even intervals: what a look takes is on top
    await lapse(control, duration / looksTaken, (duration * (looksTaken - look)) / looksTaken);
    looked.push(await lookOnce(inspector, control, began));
    control.progress(look / (looksTaken + 1));
    if (look === looksTaken / 2) half = { at: look - 1, census: await census(inspector, control, judge(looked)) };
  }
  if (control.stopped.aborted)
    control.note('stopped early: what was looked at for a short time is told with less certainty');
  const sites = judge(looked);
  const last = looked.at(-1)!;
  const end = await census(inspector, control, sites);
  const { at, census: before } = half ?? { at: looked.length - 1, census: null };
  const looks = looked.map(({ look }) => look);
  const growth = growthOf(looks);
  const windowMs = performance.now() - began;
  return {
    startedAt,
    windowMs,
    grownOverMs: last.look.atMs - looked[at]!.look.atMs,
    samplingIntervalBytes: interval,
    leastBytesPerSecond: (leastSamples * interval) / (windowMs / 1000),
    looks,
    ...growth,
    sites: await told(weigh(sites, before, end, growth).slice(0, sitesTold), subject),
    grown: grownOf([looked[at]!.look, before, looked[at]!.modules], [last.look, end, last.modules]),
  };
}

async function lookOnce(inspector: Inspector, control: CaptureControl, began: number): Promise<Looked> {
  await patiently(inspector, control, phases.collect, ['HeapProfiler.collectGarbage'], collectMs);
  const { modules, ...figures } = await evaluateProbe(inspector, lookProbe, {});
  const { profile } = await patiently<{ profile: SampledHeap }>(
    inspector,
    control,
    phases.collect,
    ['HeapProfiler.getSamplingProfile'],
    collectMs,
  );
  const ordinal = profile.samples.reduce((most, sample) => Math.max(most, sample.ordinal), 0);
  return { look: { atMs: performance.now() - began, ...figures }, modules, ordinal, profile };
}

function judge(looked: readonly Looked[]): SiteVerdict[] {
  const looks = looked.map(({ look, ordinal }) => ({
    ordinal,
    atMs: look.atMs,
    arrayBufferBytes: look.arrayBufferBytes,
  }));
  return judgeSurvivors(looked.at(-1)!.profile, looks, 0);
}

async function census(
  inspector: Inspector,
  control: CaptureControl,
  sites: readonly SiteVerdict[],
): Promise<Census | null> {
  const kept = ({ survivorBytes }: SiteVerdict) => survivorBytes.reduce((total, bytes) => total + bytes, 0);
  const suspects = sites
    .filter(({ verdict, samples }) => verdict !== 'bounded' && samples >= leastSamples)
    .sort((a, b) => b.bytesPerSecond - a.bytesPerSecond || kept(b) - kept(a))
    .slice(0, suspectsLooked);
  const { heapUsedBytes } = await evaluateProbe(inspector, lookProbe, {});
  if (heapUsedBytes > censusHeapBytes) {
    control.note('what keeps the survivors was not looked for: the heap is larger than 1 GiB');
    return null;
  }
  control.phase(phases.keepers);
  try {
    return await takeCensus(
      inspector,
      suspects.flatMap(({ frames }) => frames),
      'nodeops-leaks',
    );
  } catch (error) {
    control.abandoned.throwIfAborted();
    control.note(`what keeps the survivors is not known: ${(error as Error).message}`);
    return null;
  }
}

async function told(sites: readonly Weighed[], { procDir }: Subject): Promise<LeakSite[]> {
  const maps = new SourceMaps(process.platform === 'linux' ? `${procDir}/root` : '');
  const written = (frame: CallFrame) => maps.original({ ...toFrame(frame), isStart: true });
  return Promise.all(
    sites.map(async ({ frames, ...site }) => ({ ...site, frames: await Promise.all(frames.map(written)) })),
  );
}
