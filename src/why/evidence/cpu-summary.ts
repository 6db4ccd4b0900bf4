/** V8's CPU profile of a few seconds, as the case keeps it. */
import type { CpuNode, CpuProfile } from '../../formats/cpuprofile.ts';
import type { Frame } from '../../protocol/replies.ts';
import type { CpuSummary, WeighedStack } from '../case.ts';

/** Stacks kept; the rest is too small to matter. */
const stacksKept = 200;
const framesKept = 40;
const stretchMs = 100;
const stretchesKept = 20;
/** Between two samples that are further apart the thread had no CPU. */
const gapOfIntervals = 20;

const outside = /^\((?:root|idle|program|garbage collector)\)$/;

export function summarizeCpu(profile: CpuProfile): CpuSummary {
  const parents = new Map<number, CpuNode>();
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node);
  const micros = selfMicros(profile);
  const total = (name: string) =>
    profile.nodes.reduce(
      (sum, { id, callFrame }) => sum + (callFrame.functionName === name ? (micros.get(id) ?? 0) : 0),
      0,
    ) / 1000;
  const framesOf = (id: number): Frame[] => stackOf(id, nodes, parents);
  return {
    durationMs: (profile.endTime - profile.startTime) / 1000,
    idleMs: total('(idle)'),
    gcMs: total('(garbage collector)'),
    programMs: total('(program)'),
    stacks: stacksOf(profile.nodes, micros, framesOf),
    stretches: stretchesOf(profile, nodes, parents, framesOf),
  };
}

function selfMicros({ samples, timeDeltas, nodes }: CpuProfile): Map<number, number> {
  const sums = new Map(nodes.map(({ id }) => [id, 0]));
  // a delta lies before its sample: what a sample shows goes on until the next one
  for (const [index, id] of samples.entries()) sums.set(id, sums.get(id)! + Math.max(0, timeDeltas[index + 1] ?? 0));
  return sums;
}

function stackOf(id: number, nodes: Map<number, CpuNode>, parents: Map<number, CpuNode>): Frame[] {
  const frames: Frame[] = [];
  const { positionTicks = [] } = nodes.get(id)!;
  const hottest = positionTicks.reduce((best, tick) => (tick.ticks > best.ticks ? tick : best), { line: 0, ticks: 0 });
  for (let node = nodes.get(id); node && frames.length < framesKept; node = parents.get(node.id)) {
    const { functionName, url, lineNumber, columnNumber } = node.callFrame;
    if (functionName === '(root)') break;
    const innermost = frames.length === 0;
    const line = innermost && hottest.line > 0 ? hottest.line : lineNumber + 1;
    const code = innermost ? node.source?.[0]?.text : undefined;
    frames.push({
      function: functionName || '(anonymous)',
      file: pathOf(url),
      line,
      column: columnNumber + 1,
      ...(code === undefined ? {} : { code }),
    });
  }
  return frames;
}

function pathOf(url: string): string {
  if (!url.startsWith('file://')) return url;
  try {
    return decodeURIComponent(new URL(url).pathname);
  } catch {
    return url;
  }
}

function stacksOf(
  nodes: readonly CpuNode[],
  micros: ReadonlyMap<number, number>,
  framesOf: (id: number) => Frame[],
): WeighedStack[] {
  return nodes
    .filter(({ id, callFrame }) => (micros.get(id) ?? 0) > 0 && !outside.test(callFrame.functionName))
    .toSorted((a, b) => micros.get(b.id)! - micros.get(a.id)!)
    .slice(0, stacksKept)
    .map(({ id }) => ({ ms: micros.get(id)! / 1000, frames: framesOf(id) }));
}

/**
 * Stretches in which every sample lies below the same call out of the loop: one callback, or as many as fit between two samples.
 * Collections and what has no JavaScript do not end one.
 */
function stretchesOf(
  { samples, timeDeltas, nodes: list }: CpuProfile,
  nodes: Map<number, CpuNode>,
  parents: ReadonlyMap<number, CpuNode>,
  framesOf: (id: number) => Frame[],
): CpuSummary['stretches'] {
  const median = timeDeltas.toSorted((a, b) => a - b)[timeDeltas.length >> 1] ?? 1000;
  const roots = new Map(list.map(({ id }) => [id, rootOf(id, nodes, parents)]));
  const found: { startMs: number; ms: number; top: number }[] = [];
  let clock = 0;
  let run: { root: number; from: number; by: Map<number, number> } | undefined;
  const close = (): void => {
    const ms = run ? (clock - run.from) / 1000 : 0;
    const [top] = [...(run?.by ?? [])].toSorted((a, b) => b[1] - a[1])[0] ?? [];
    if (run && top !== undefined && ms >= stretchMs) found.push({ startMs: run.from / 1000, ms, top });
    run = undefined;
  };
  for (const [index, id] of samples.entries()) {
    const delta = Math.max(0, timeDeltas[index] ?? 0);
    const name = nodes.get(id)!.callFrame.functionName;
    const root = roots.get(id)!;
    if (run && (delta > Math.max(50_000, median * gapOfIntervals) || name === '(idle)')) close();
    if (run && root !== run.root && !outside.test(name)) close();
    clock += delta;
    if (outside.test(name)) continue;
    run ??= { root, from: clock, by: new Map() };
    run.by.set(id, (run.by.get(id) ?? 0) + 1);
  }
  close();
  return found
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, stretchesKept)
    .map(({ startMs, ms, top }) => ({ startMs, ms, frames: framesOf(top) }));
}

/** The outermost function of a stack that is not Node's; what lies outside of it is the way from the loop. */
function rootOf(id: number, nodes: Map<number, CpuNode>, parents: ReadonlyMap<number, CpuNode>): number {
  let root = 0;
  for (let node = nodes.get(id); node; node = parents.get(node.id)) {
    const { url } = node.callFrame;
    if (url !== '' && !url.startsWith('node:')) root = node.id;
  }
  return root;
}
