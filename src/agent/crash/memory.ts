/**
 * Watches memory run short. From two thirds of a limit on allocations are sampled; close to it a record is kept, while there is
 * still somebody to write it: V8 out of memory and the kernel's SIGKILL leave no time.
 */
import type { CrashRecord } from '../../protocol/crash.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { bytesShort, percent } from '../../protocol/text/quantities.ts';
import type { Watch } from '../recorder/watch.ts';
import type { Kept } from './kept.ts';
import { crashRecord, lastMinutes, recordName } from './record.ts';

/** Shares of a limit. V8 gives up at some four fifths already where collections free too little. */
const sampleAt = 0.65;
const endSamplingAt = 0.45;
const recordAt = 0.8;
/** Memory counts as what it will be in so many seconds, at the pace of the last one. */
const aheadSeconds = 2;
/** From one record of a kind to the next, restarts included. */
const pauseMs = 600_000;
/** Sampling that came to nothing is not begun again for as long. */
const samplingMs = 300_000;

type Kind = 'near-heap-limit' | 'near-memory-limit';
interface Sampling {
  finish(): Promise<string | null>;
  abandon(): void;
}

/** Called with each second. */
export function watchMemory(kept: Kept, info: ProcessInfo): (watch: Watch) => void {
  let sampling: Promise<Sampling> | undefined;
  let sampledAt = Number.NEGATIVE_INFINITY;
  let recording = false;
  const recordedAt = new Map<Kind, number>();
  const pressure = pressureGauge();

  const mayRecord = (kind: Kind): boolean => {
    if (recording) return false;
    const last = Math.max(recordedAt.get(kind) ?? 0, newest(kept, kind));
    return Date.now() - last >= pauseMs;
  };

  async function record(watch: Watch, kind: Kind, summary: string): Promise<void> {
    recording = true;
    recordedAt.set(kind, Date.now());
    try {
      const { stacks, recording: figures, settings } = watch;
      const { readNow } = await import('./now.ts');
      const history = lastMinutes(figures, settings.stallMs, { stacks });
      const name = recordName(kind, info.pid);
      const base: CrashRecord = crashRecord(info, kind, summary, { history });
      // first what is at hand: the rest may come too late
      kept.write(name, JSON.stringify(base));
      // then what allocated, which is asked of V8 alone; stacks and spaces come last
      const text = await (await sampling?.catch(() => undefined))?.finish();
      sampling = undefined;
      const heapProfile = text ? name.replace(/\.json$/, '.heapprofile') : null;
      if (text && heapProfile) kept.write(heapProfile, text);
      kept.write(name, JSON.stringify({ ...base, heapProfile } satisfies CrashRecord));
      kept.write(name, JSON.stringify({ ...base, heapProfile, ...(await readNow(figures)) } satisfies CrashRecord));
    } finally {
      recording = false;
    }
  }

  return (watch) => {
    const { share, kind, used, limit } = pressure(watch);
    if (
      share >= sampleAt &&
      !sampling &&
      !recording &&
      performance.now() - sampledAt >= samplingMs &&
      mayRecord(kind)
    ) {
      sampledAt = performance.now();
      sampling = import('./now.ts').then(({ sampleHeap }) => sampleHeap(watch.recording, samplingMs));
      sampling.catch(() => {});
    }
    if (share < endSamplingAt && sampling && !recording) {
      sampling.then((begun) => begun.abandon()).catch(() => {});
      sampling = undefined;
      sampledAt = Number.NEGATIVE_INFINITY;
    }
    if (share < recordAt || !mayRecord(kind)) return;
    const what = kind === 'near-heap-limit' ? 'the V8 heap' : 'resident memory';
    const of = kind === 'near-heap-limit' ? 'heap limit' : "container's limit";
    const summary = `${what} is ${bytesShort(used)}, ${percent(used / limit)} of the ${of} of ${bytesShort(limit)}`;
    record(watch, kind, summary).catch(() => {});
  };
}

/** The limit that is closest, seen with each second. */
function pressureGauge(): (watch: Watch) => { share: number; kind: Kind; used: number; limit: number } {
  const before = new Map<Kind, number>();
  return ({ recording }) => {
    const { heapUsedBytes = 0, rssBytes = 0 } = recording.latest()?.mean ?? {};
    const of = (kind: Kind, used: number, limit: number) => {
      const growth = Math.max(0, used - (before.get(kind) ?? used));
      before.set(kind, used);
      return { kind, used, limit, share: used > 0 && limit > 0 ? (used + growth * aheadSeconds) / limit : 0 };
    };
    const heap = of('near-heap-limit', heapUsedBytes, recording.get('heapLimitBytes'));
    const memory = of('near-memory-limit', rssBytes, recording.get('memoryLimitBytes'));
    return heap.share >= memory.share ? heap : memory;
  };
}

/** When the newest record of a kind was kept, by any process. */
function newest(kept: Kept, kind: Kind): number {
  const [found] = kept.list().filter(({ name }) => name.includes(`-${kind}-`) && name.endsWith('.json'));
  return found ? Date.parse(found.at) : 0;
}
