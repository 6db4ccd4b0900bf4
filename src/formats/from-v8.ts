/** V8's profiles into the model. */

import { firstSampleMicros, type NodeSelf, sampledSelf } from './cpu-time.ts';
import type { CpuNode, CpuProfile } from './cpuprofile.ts';
import { sharedBuffers } from './external-space.ts';
import { estimateCount, guessInterval } from './heap-count.ts';
import type { HeapNode, HeapProfile } from './heapprofile.ts';
import { anonymousName, systemNameOf } from './map-profile.ts';
import { emptyStack, type FunctionInfo, type Label, Profile, type ProfileFacts } from './model.ts';
import { clockOf } from './thread-clock.ts';
import { formatValue } from './units.ts';
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
 * A CPU profile as `samples/count` and `wall/nanoseconds`, and where an agent read the thread's clock beside it `cpu/nanoseconds`,
 * which is then shown first. V8 looks at the thread by the wall clock, so `wall` is the time the thread was not idle: JavaScript,
 * native code it called (also when that sleeps), `(program)`, garbage collection; `cpu` is the part of it on a CPU. Time in
 * `(idle)` is left out, as pprof-nodejs does; what is missing of the duration is idle time (`Duration: 10s, Total samples =
 * 1.12s (11.20%)`).
 * `(program)` stays: native work such as TLS or zlib on the main thread would be missing otherwise.
 * `(garbage collector)` is put on top of the stack it interrupted, as Chrome DevTools does, and so is the system call that a function
 * slept in.
 */
export function fromCpuProfile(source: CpuProfile, options: FromCpuOptions = {}): Profile {
  const clock = clockOf(source as unknown as Record<string, unknown>);
  const self = sampledSelf(source, clock).filter(({ node }) => node.callFrame.functionName !== '(idle)');
  const idle = source.nodes.find((node) => node.callFrame.functionName === '(idle)');
  const nanoseconds = 'nanoseconds';
  const profile = new Profile(
    [
      { type: 'samples', unit: 'count' },
      { type: 'wall', unit: nanoseconds },
      ...(clock ? [{ type: 'cpu', unit: nanoseconds }] : []),
    ],
    {
      ...factsOf({ ...options, comments: [...(options.comments ?? []), ...(clock ? [whereTimeWent(self)] : [])] }),
      durationNanos: Math.round((source.endTime - source.startTime - firstSampleMicros(source)) * 1000),
      periodType: { type: 'wall', unit: nanoseconds },
      period: Math.round((options.samplingIntervalMicros ?? median(source.timeDeltas)) * 1000),
      defaultSampleType: clock ? 'cpu' : 'wall',
    },
  );
  const labels = profile.labels(options.labels ?? []);
  const stacks = cpuStacks(profile, source, idle);
  for (const { node, on, asleepIn, count, wallNanos, cpuNanos } of self) {
    const parent = on ? stacks.get(on.id)!.stack : stacks.get(node.id)!.parent;
    const leaf = profile.function(functionOf(node.callFrame));
    for (const [line, values] of sharesByLine(node, clock ? [count, wallNanos, cpuNanos] : [count, wallNanos])) {
      let stack = profile.stack(parent, profile.frame(leaf, line));
      if (asleepIn !== undefined) stack = profile.stack(stack, waitFrame(profile, asleepIn));
      profile.add(stack, labels, values);
    }
  }
  return profile;
}

/** What a function that sleeps has called. */
function waitFrame(profile: Profile, syscall: string): number {
  const name = `(asleep in ${syscall})`;
  return profile.frame(profile.function({ name, systemName: name, file: '', line: 0 }), 0);
}

function whereTimeWent(self: readonly NodeSelf[]): string {
  const sum = (field: 'wallNanos' | 'cpuNanos' | 'queuedNanos') => self.reduce((total, one) => total + one[field], 0);
  const [wall, cpu, queued] = [sum('wallNanos'), sum('cpuNanos'), sum('queuedNanos')];
  const text = (nanos: number) => formatValue(Math.max(0, nanos), 'nanoseconds', 'auto');
  return `Busy: ${text(wall)} by the clock on the wall, of which ${text(cpu)} on a CPU, ${text(queued)} waiting for one, ${text(wall - cpu - queued)} asleep in calls`;
}

export interface FromHeapOptions extends FromV8Options {
  /** Bytes between two samples, as given to `HeapProfiler.startSampling`. @default found from the samples */
  readonly samplingIntervalBytes?: number;
  /** `inuse`: what is still alive. `alloc`: taken with the flags that include collected objects. @default 'inuse' */
  readonly values?: 'inuse' | 'alloc';
  /** How long allocations were sampled. @default 0, unknown */
  readonly durationNanos?: number;
}

/**
 * A sampling heap profile as `inuse_objects/count` and `inuse_space/bytes` (or `alloc_…`). Counts are estimated, see heap-count.ts. Where the
 * agent told what ArrayBuffers grew by, that is `external_space/bytes`, shared out by the samples of those who made them.
 */
export function fromHeapProfile(source: HeapProfile, options: FromHeapOptions = {}): Profile {
  const kind = options.values ?? 'inuse';
  const told = Number(source.nodeops?.samplingIntervalBytes);
  const interval =
    options.samplingIntervalBytes ?? (told > 0 ? told : guessInterval(source.samples.map((sample) => sample.size)));
  const counts = new Map<number, number>();
  for (const { nodeId, size } of source.samples)
    counts.set(nodeId, (counts.get(nodeId) ?? 0) + estimateCount(size, interval));
  const grown = Number(source.nodeops?.arrayBufferBytes ?? Number.NaN);
  const external = Number.isFinite(grown) ? sharedBuffers(source, Math.max(0, grown)) : undefined;
  const space = external ? 'external_space' : `${kind}_space`;
  const profile = new Profile(
    [
      { type: `${kind}_objects`, unit: 'count' },
      { type: `${kind}_space`, unit: 'bytes' },
      ...(external ? [{ type: 'external_space', unit: 'bytes' }] : []),
    ],
    {
      ...factsOf(options),
      durationNanos: options.durationNanos ?? 0,
      periodType: { type: 'space', unit: 'bytes' },
      period: interval,
      defaultSampleType: space,
    },
  );
  const labels = profile.labels(options.labels ?? []);
  const queue: { node: HeapNode; parent: number }[] = [{ node: source.head, parent: emptyStack }];
  for (const { node, parent } of queue) {
    const isRoot = node === source.head && node.callFrame.functionName === '(root)';
    const frame = () => profile.frame(profile.function(functionOf(node.callFrame)), node.callFrame.lineNumber + 1);
    const stack = isRoot ? emptyStack : profile.stack(parent, frame());
    const bytes = Math.round(node.selfSize);
    const count = counts.get(node.id) ?? 0;
    const values = external ? [count, bytes, external.get(node.id) ?? 0] : [count, bytes];
    // readers expect a sample to have at least one frame
    if (values.some((value) => value > 0)) profile.add(isRoot ? profile.stack(parent, frame()) : stack, labels, values);
    for (const child of node.children) queue.push({ node: child, parent: stack });
  }
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

/** Splits a node's values by the lines V8 counted, whole samples and whole nanoseconds, nothing lost. */
function sharesByLine(node: CpuNode, values: readonly number[]): [line: number, values: number[]][] {
  const ticks = new Map<number, number>();
  for (const { line, ticks: n } of node.positionTicks ?? []) if (n > 0) ticks.set(line, (ticks.get(line) ?? 0) + n);
  const total = [...ticks.values()].reduce((sum, n) => sum + n, 0);
  if (total === 0) return [[node.callFrame.lineNumber + 1, [...values]]];
  let seen = 0;
  return [...ticks].map(([line, n]) => {
    const share = (whole: number) => Math.round((whole * (seen + n)) / total) - Math.round((whole * seen) / total);
    const part: [number, number[]] = [line, values.map(share)];
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
  const name = functionName || anonymousName(url, line, columnNumber + 1);
  // a name of before a map has its place in that file no more
  return { name, systemName: generatedName ?? systemNameOf(name, line, columnNumber + 1), file: url, line };
}

function factsOf({ timeMs = 0, comments = [] }: FromV8Options): Pick<ProfileFacts, 'timeMs' | 'comments'> {
  return { timeMs, comments };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
