/** V8's sampling heap profile as `HeapProfiler.stopSampling` and `getSamplingProfile` give it (.heapprofile). */
import { type CallFrame, Checker, defaultLimits, type ProfileLimits, parseJson } from './v8-json.ts';

export interface HeapNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  /** Bytes allocated here, extrapolated from the samples. */
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}

export interface HeapSample {
  /** Bytes this sample stands for, extrapolated: the object's size times how many such objects it stands for. */
  readonly size: number;
  /** May name a node that V8 has dropped from the tree since (seen on 20 to 26). */
  readonly nodeId: number;
  readonly ordinal: number;
}

export interface HeapProfile {
  readonly head: HeapNode;
  readonly samples: readonly HeapSample[];
  /** Of an agent of ours; nothing of it is checked. */
  readonly nodeops?: { readonly samplingIntervalBytes?: unknown; readonly arrayBufferBytes?: unknown } | undefined;
}

/** Frames deeper than this are damage: V8 records 128 at most by default. */
const limitDepth = 4096;

/**
 * Reads a .heapprofile and checks all of it.
 * Throws NodeopsError `failed` naming the damage, `too-large` past a limit.
 */
export function parseHeapProfile(input: string | Uint8Array, limits: ProfileLimits = {}): HeapProfile {
  return checkHeapProfile(parseJson('heap profile', input, limits.limitBytes ?? defaultLimits.limitBytes), limits);
}

/** As parseHeapProfile, of a value that came over the inspector. Fields it does not know are kept. */
export function checkHeapProfile(value: unknown, limits: ProfileLimits = {}): HeapProfile {
  const check = new Checker('heap profile');
  const { limitNodes, limitSamples } = { ...defaultLimits, ...limits };
  const profile = check.record(value, 'the document');
  if (profile.head === undefined && profile.nodes !== undefined) check.fail('it is a CPU profile or a heap snapshot');
  const ids = new Set<number>();
  let count = 0;
  const head = checkTree(profile.head);
  const samples = check.list(profile.samples ?? [], 'samples', limitSamples).map((value, i) => {
    const sample = check.record(value, `samples[${i}]`);
    const nodeId = check.number(sample.nodeId, `samples[${i}].nodeId`);
    const size = check.number(sample.size, `samples[${i}].size`);
    if (size < 0) check.fail(`samples[${i}].size is negative`);
    return { ...sample, size, nodeId, ordinal: check.number(sample.ordinal ?? 0, `samples[${i}].ordinal`) };
  });
  return { ...profile, head, samples };

  /** Without recursion: the depth is the file's to choose. */
  function checkTree(root: unknown): HeapNode {
    const top = checkNode(root, 'head');
    const queue = [{ raw: root as Record<string, unknown>, made: top, depth: 0 }];
    for (const { raw, made, depth } of queue) {
      if (depth > limitDepth) check.fail(`its stacks are deeper than ${limitDepth} frames`);
      for (const child of check.list(raw.children ?? [], 'children', limitNodes)) {
        const node = checkNode(child, `a child of node ${made.id}`);
        (made.children as HeapNode[]).push(node);
        queue.push({ raw: child as Record<string, unknown>, made: node, depth: depth + 1 });
      }
    }
    return top;
  }

  function checkNode(value: unknown, place: string): HeapNode {
    const node = check.record(value, place);
    // some tools leave ids out; then no sample can name the node
    const id = node.id === undefined ? -1 : check.number(node.id, `${place}.id`);
    if (id !== -1 && ids.has(id)) check.fail(`two nodes have the id ${id}`);
    ids.add(id);
    if (++count > limitNodes) check.tooMany(count, 'nodes', limitNodes);
    const selfSize = check.number(node.selfSize, `${place}.selfSize`);
    if (selfSize < 0) check.fail(`${place}.selfSize is negative`);
    return { ...node, id, callFrame: check.callFrame(node.callFrame, `${place}.callFrame`), selfSize, children: [] };
  }
}
