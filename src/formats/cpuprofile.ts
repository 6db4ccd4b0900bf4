/** V8's CPU profile as `Profiler.stop` gives it and Chrome DevTools saves it (.cpuprofile). */
import { modernized } from './legacy-cpuprofile.ts';
import { type CallFrame, Checker, defaultLimits, type ProfileLimits, parseJson } from './v8-json.ts';

export interface PositionTick {
  /** From 1. */
  readonly line: number;
  readonly ticks: number;
}

export interface CpuNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly hitCount: number;
  readonly children?: readonly number[];
  /** Samples per line of this function; a line may come several times (Node 26). */
  readonly positionTicks?: readonly PositionTick[];
  readonly deoptReason?: string;
  /** Ours: the source of its hottest lines, where it was asked for. */
  readonly source?: readonly { readonly line: number; readonly ticks: number; readonly text: string }[];
}

export interface CpuProfile {
  readonly nodes: readonly CpuNode[];
  /** Microseconds of a clock that has nothing to do with the time of day. */
  readonly startTime: number;
  /** Microseconds of the same clock. */
  readonly endTime: number;
  /** Node ids in the order they were sampled. */
  readonly samples: readonly number[];
  /** Microseconds from one sample to the next; the first from `startTime`. */
  readonly timeDeltas: readonly number[];
}

/**
 * Reads a .cpuprofile and checks all of it: ids, the tree, samples, times.
 * Throws NodeopsError `failed` naming the damage, `too-large` past a limit.
 */
export function parseCpuProfile(input: string | Uint8Array, limits: ProfileLimits = {}): CpuProfile {
  return checkCpuProfile(parseJson('CPU profile', input, limits.limitBytes ?? defaultLimits.limitBytes), limits);
}

/** As parseCpuProfile, of a value that came over the inspector. Fields it does not know are kept. */
export function checkCpuProfile(value: unknown, limits: ProfileLimits = {}): CpuProfile {
  const check = new Checker('CPU profile');
  const { limitNodes, limitSamples } = { ...defaultLimits, ...limits };
  let profile = check.record(value, 'the document');
  if (profile.nodes === undefined && profile.head !== undefined) {
    if (typeof check.record(profile.head, 'head').functionName !== 'string')
      check.fail('it has a tree instead of nodes: a heap profile');
    profile = modernized(check, profile, limitNodes);
  }
  const nodes = check
    .list(profile.nodes, 'nodes', limitNodes)
    .map((node, i) => checkNode(check, node, `nodes[${i}]`, limitNodes));
  checkTree(check, nodes);
  const ids = new Set(nodes.map((node) => node.id));
  const samples = check.list(profile.samples ?? [], 'samples', limitSamples);
  const timeDeltas = check.list(profile.timeDeltas ?? [], 'timeDeltas', limitSamples);
  if (samples.length !== timeDeltas.length)
    check.fail(`it has ${samples.length} samples but ${timeDeltas.length} times`);
  for (const [i, sample] of samples.entries())
    if (!ids.has(sample as number)) check.fail(`samples[${i}] names node ${String(sample)}, which is not there`);
  for (const [i, delta] of timeDeltas.entries()) check.number(delta, `timeDeltas[${i}]`);
  const startTime = check.number(profile.startTime, 'startTime');
  const endTime = check.number(profile.endTime, 'endTime');
  if (endTime < startTime) check.fail('it ends before it starts');
  return {
    ...profile,
    nodes,
    startTime,
    endTime,
    samples: samples as number[],
    timeDeltas: timeDeltas as number[],
  };
}

function checkNode(check: Checker, value: unknown, place: string, limitNodes: number): CpuNode {
  const node = check.record(value, place);
  const checked = {
    ...node,
    id: check.number(node.id, `${place}.id`),
    callFrame: check.callFrame(node.callFrame, `${place}.callFrame`),
    hitCount: check.number(node.hitCount ?? 0, `${place}.hitCount`),
  };
  if (node.children !== undefined) check.list(node.children, 'children', limitNodes);
  if (node.positionTicks !== undefined)
    for (const [i, value] of check.list(node.positionTicks, 'positionTicks', limitNodes).entries()) {
      const tick = check.record(value, `${place}.positionTicks[${i}]`);
      check.number(tick.line, `${place}.positionTicks[${i}].line`);
      if (!(check.number(tick.ticks, `${place}.positionTicks[${i}].ticks`) >= 0))
        check.fail(`${place}.positionTicks[${i}].ticks is negative`);
    }
  return checked;
}

/** Every node but the first is the child of exactly one other, and all hang together: no cycle, no stray. */
function checkTree(check: Checker, nodes: readonly CpuNode[]): void {
  const root = nodes[0];
  if (!root) check.fail('it has no nodes');
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (byId.size !== nodes.length) check.fail('two nodes have the same id');
  const reached = new Set([root.id]);
  const queue = [root];
  for (const node of queue)
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (!child) check.fail(`node ${node.id} has child ${String(id)}, which is not there`);
      if (reached.has(id)) check.fail(`node ${id} is reached twice`);
      reached.add(id);
      queue.push(child);
    }
  if (reached.size !== nodes.length) check.fail(`${nodes.length - reached.size} nodes hang on nothing`);
}
