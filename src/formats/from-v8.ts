/** V8's profiles into the model. */

import { sampledSelf } from './cpu-time.ts';
import type { CpuNode, CpuProfile } from './cpuprofile.ts';
import { estimateCount, guessInterval } from './heap-count.ts';
import type { HeapNode, HeapProfile } from './heapprofile.ts';
import { emptyStack, type FunctionInfo, type Label, Profile, type ProfileFacts } from './model.ts';
import type { CallFrame } from './v8-json.ts';

export interface FromV8Options {
  /** Put on every sample: pod, container, node, version, thread. */
  readonly labels?: readonly Label[];
  /** When the capture began, milliseconds since 1970: V8's own clock has nothing to do with the time of day. */
  readonly timeMs?: number;
  /** Added to the profile's comments. */
  readonly comments?: readonly string[];
}

export interface FromCpuOptions extends FromV8Options {
  /** As given to `Profiler.setSamplingInterval`. @default the median distance of the samples */
  readonly samplingIntervalMicros?: number;
}

/**
 * A CPU profile as `samples/count` and `cpu/nanoseconds`. V8 looks at the thread by the wall clock, so `cpu` is the time the
 * thread was not idle: JavaScript, native code it called (also when that blocks), `(program)`, garbage collection. Time in
 * `(idle)` is left out, as pprof-nodejs does; what is missing of the duration is idle time (`Duration: 10s, Total samples =
 * 1.12s (11.20%)`), and a third column `wall` would repeat `cpu` in every sample.
 * `(program)` stays: native work such as TLS or zlib on the main thread would be missing otherwise.
 * `(garbage collector)` is put on top of the stack it interrupted, as Chrome DevTools does.
 */
export function fromCpuProfile(source: CpuProfile, options: FromCpuOptions = {}): Profile {
  const self = sampledSelf(source);
  const idle = source.nodes.find((node) => node.callFrame.functionName === '(idle)');
  const profile = new Profile(
    [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    {
      ...factsOf(options),
      durationNanos: Math.round((source.endTime - source.startTime) * 1000),
      periodType: { type: 'cpu', unit: 'nanoseconds' },
      period: Math.round((options.samplingIntervalMicros ?? median(source.timeDeltas)) * 1000),
      defaultSampleType: 'cpu',
    },
  );
  const labels = profile.labels(options.labels ?? []);
  const stacks = cpuStacks(profile, source, idle);
  for (const { node, on, count, nanos } of self) {
    if (node === idle) continue;
    const parent = on ? stacks.get(on.id)!.stack : stacks.get(node.id)!.parent;
    const leaf = profile.function(functionOf(node.callFrame));
    for (const share of sharesByLine(node, count, nanos))
      profile.add(profile.stack(parent, profile.frame(leaf, share.line)), labels, [share.count, share.nanos]);
  }
  return profile;
}

export interface FromHeapOptions extends FromV8Options {
  /** Bytes between two samples, as given to `HeapProfiler.startSampling`. @default found from the samples */
  readonly samplingIntervalBytes?: number;
  /** `inuse`: what is still alive. `alloc`: taken with the flags that include collected objects. @default 'inuse' */
  readonly values?: 'inuse' | 'alloc';
  /** How long allocations were sampled. @default 0, unknown */
  readonly durationNanos?: number;
}

/** A sampling heap profile as `inuse_objects/count` and `inuse_space/bytes` (or `alloc_…`). Counts are estimated, see heap-count.ts. */
export function fromHeapProfile(source: HeapProfile, options: FromHeapOptions = {}): Profile {
  const kind = options.values ?? 'inuse';
  const interval = options.samplingIntervalBytes ?? guessInterval(source.samples.map((sample) => sample.size));
  const counts = new Map<number, number>();
  for (const { nodeId, size } of source.samples)
    counts.set(nodeId, (counts.get(nodeId) ?? 0) + estimateCount(size, interval));
  const profile = new Profile(
    [
      { type: `${kind}_objects`, unit: 'count' },
      { type: `${kind}_space`, unit: 'bytes' },
    ],
    {
      ...factsOf(options),
      durationNanos: options.durationNanos ?? 0,
      periodType: { type: 'space', unit: 'bytes' },
      period: interval,
      defaultSampleType: `${kind}_space`,
    },
  );
  const labels = profile.labels(options.labels ?? []);
  const visit = (node: HeapNode, parent: number): void => {
    const isRoot = node === source.head && node.callFrame.functionName === '(root)';
    const frame = () => profile.frame(profile.function(functionOf(node.callFrame)), node.callFrame.lineNumber + 1);
    const stack = isRoot ? emptyStack : profile.stack(parent, frame());
    const bytes = Math.round(node.selfSize);
    const count = counts.get(node.id) ?? 0;
    // readers expect a sample to have at least one frame
    if (bytes > 0 || count > 0) profile.add(isRoot ? profile.stack(parent, frame()) : stack, labels, [count, bytes]);
    for (const child of node.children) visit(child, stack);
  };
  visit(source.head, emptyStack);
  return profile;
}

/** For every node: its stack with the function's first line (V8 does not record call sites), and its caller's. */
function cpuStacks(
  profile: Profile,
  source: CpuProfile,
  leftOut: CpuNode | undefined,
): Map<number, { stack: number; parent: number }> {
  const byId = new Map(source.nodes.map((node) => [node.id, node]));
  const root = source.nodes[0]!;
  const stacks = new Map([[root.id, { stack: emptyStack, parent: emptyStack }]]);
  const queue = [root];
  for (const node of queue) {
    const parent = stacks.get(node.id)!.stack;
    for (const id of node.children ?? []) {
      const child = byId.get(id)!;
      if (child === leftOut) continue;
      const { callFrame } = child;
      const frame = profile.frame(profile.function(functionOf(callFrame)), callFrame.lineNumber + 1);
      stacks.set(id, { stack: profile.stack(parent, frame), parent });
      queue.push(child);
    }
  }
  return stacks;
}

/** Splits a node's samples by the lines V8 counted, whole samples and whole nanoseconds, nothing lost. */
function sharesByLine(node: CpuNode, count: number, nanos: number): { line: number; count: number; nanos: number }[] {
  const ticks = new Map<number, number>();
  for (const { line, ticks: n } of node.positionTicks ?? []) if (n > 0) ticks.set(line, (ticks.get(line) ?? 0) + n);
  const total = [...ticks.values()].reduce((sum, n) => sum + n, 0);
  if (total === 0) return [{ line: node.callFrame.lineNumber + 1, count, nanos }];
  let seen = 0;
  return [...ticks].map(([line, n]) => {
    const share = (whole: number) => Math.round((whole * (seen + n)) / total) - Math.round((whole * seen) / total);
    const part = { line, count: share(count), nanos: share(nanos) };
    seen += n;
    return part;
  });
}

/**
 * The name reports show. Anonymous functions get their place as a name: `go tool pprof` tells functions apart by name only,
 * and would make one of them all.
 */
function functionOf({ functionName, url, lineNumber, columnNumber, generatedName }: CallFrame): FunctionInfo {
  const line = Math.max(0, lineNumber + 1);
  const place = `${url.slice(url.lastIndexOf('/') + 1) || '?'}:${line}:${columnNumber + 1}`;
  const name = functionName || `(anonymous ${place})`;
  return { name, systemName: generatedName || name, file: url, line };
}

function factsOf({ timeMs = 0, comments = [] }: FromV8Options): Pick<ProfileFacts, 'timeMs' | 'comments'> {
  return { timeMs, comments };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
