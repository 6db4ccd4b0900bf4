/** V8's profiles as the agent sends them into what is saved: source maps applied, labels put on. */
import { type CpuProfile, checkCpuProfile } from '../../formats/cpuprofile.ts';
import { fromCpuProfile, fromHeapProfile } from '../../formats/from-v8.ts';
import { parseHeapProfile } from '../../formats/heapprofile.ts';
import { merge } from '../../formats/merge.ts';
import { type Label, textLabels } from '../../formats/model.ts';
import { mapCpuProfile, mapHeapProfile } from '../../formats/source-maps.ts';
import { toPprof } from '../../formats/to-pprof.ts';
import { parseJson } from '../../formats/v8-json.ts';
import type { ConversionRequest, Converted, Origin } from './conversion.ts';
import { captureLimits } from './limits.ts';

/** A CPU profile, or with `thread=all` one of every thread. */
export async function convertCpu(
  bytes: Uint8Array,
  origin: Origin,
  { format, sourceMaps }: ConversionRequest,
): Promise<Converted> {
  const threads = threadsOf(parseJson('CPU profile', bytes, captureLimits.profileBytes), origin).map(
    ({ thread, profile }) => ({ thread, profile: sourceMaps ? mapCpuProfile(profile, sourceMaps) : profile }),
  );
  const interval = Number(origin.job.parameters.interval);
  const profile = merge(
    threads.map(({ thread, profile }) =>
      fromCpuProfile(profile, {
        labels: labels(origin, thread),
        timeMs: Date.parse(origin.job.startedAt) || 0,
        ...(interval > 0 ? { samplingIntervalMicros: interval } : {}),
      }),
    ),
  );
  if (format === 'pprof') return { pieces: [{ suffix: '', bytes: await toPprof(profile) }], profile };
  if (threads.length === 1 && !sourceMaps && origin.job.parameters.thread !== 'all')
    return { pieces: [{ suffix: '', bytes }], profile };
  const pieces = threads.map(({ thread, profile }) => ({
    suffix: threads.length === 1 ? '' : `.${thread.replaceAll(' ', '-')}`,
    bytes: Buffer.from(JSON.stringify(profile)),
  }));
  return { pieces, profile };
}

/** A sampling heap profile. */
export async function convertHeap(
  bytes: Uint8Array,
  origin: Origin,
  { format, sourceMaps }: ConversionRequest,
): Promise<Converted> {
  const source = parseHeapProfile(bytes);
  const mapped = sourceMaps ? mapHeapProfile(source, sourceMaps) : source;
  const { interval, alloc } = origin.job.parameters;
  const profile = fromHeapProfile(mapped, {
    labels: labels(origin, 'main'),
    timeMs: Date.parse(origin.job.startedAt) || 0,
    durationNanos: origin.job.elapsedMs * 1e6,
    values: alloc === true ? 'alloc' : 'inuse',
    ...(Number(interval) > 0 ? { samplingIntervalBytes: Number(interval) } : {}),
  });
  if (format === 'pprof') return { pieces: [{ suffix: '', bytes: await toPprof(profile) }], profile };
  return { pieces: [{ suffix: '', bytes: sourceMaps ? Buffer.from(JSON.stringify(mapped)) : bytes }], profile };
}

interface ThreadProfile {
  readonly thread: string;
  readonly profile: CpuProfile;
}

function threadsOf(value: unknown, { job }: Origin): ThreadProfile[] {
  const list = (value as { threads?: unknown } | null)?.threads;
  if (!Array.isArray(list)) {
    const { thread } = job.parameters;
    return [
      {
        thread: thread === undefined || thread === 'main' || thread === 'all' ? 'main' : `worker ${String(thread)}`,
        profile: checkCpuProfile(value),
      },
    ];
  }
  return list.map((entry: { thread?: unknown; profile?: unknown }, i) => ({
    thread: /^[\w -]{1,32}$/.test(String(entry?.thread)) ? String(entry.thread) : `thread ${i}`,
    profile: checkCpuProfile(entry?.profile),
  }));
}

function labels({ target, nodeVersion, node }: Origin, thread: string): Label[] {
  const { namespace, pod, container, pid, address } = target;
  return textLabels({
    namespace: namespace ?? undefined,
    pod: pod ?? undefined,
    node,
    address: address ?? undefined,
    container: container ?? undefined,
    pid: pid === null ? undefined : String(pid),
    node_version: nodeVersion,
    thread,
  });
}
