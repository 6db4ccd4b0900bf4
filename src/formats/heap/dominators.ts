/**
 * Dominators of a heap: A dominates B where every path from the root to B passes A, so that B goes when A goes. Semi-NCA
 * (Georgiadis: Linear-Time Algorithms for Dominators and Related Problems, 2005), over arrays only and without recursion.
 * Which edges count is as in Chrome DevTools and memlab, so that retained sizes are theirs.
 */
import { type Parsed, type Steps, shortcutBit, targetMask, weakBit } from './parse.ts';

/** Per node, the nodes that lead to it by an edge that keeps it; a node that does so twice stands there twice. */
export interface Retainers {
  readonly first: Uint32Array;
  readonly sources: Uint32Array;
}

export interface Dominators {
  /** The immediate dominator of each node; the root's is the root. */
  readonly parent: Uint32Array;
  /** Nodes such that each comes after its dominator. */
  readonly order: Uint32Array;
  /** Arrays of a number per node that nothing needs any more. */
  readonly spare: readonly [Uint32Array, Uint32Array];
  /** 8 bytes per node that nothing needs any more. */
  readonly spareWide: ArrayBuffer;
}

const root = 0;

export function* retainersOf({ meta, firstEdge, targets }: Parsed): Steps<Retainers> {
  const first = new Uint32Array(meta.nodeCount + 1);
  for (let edge = 0; edge < targets.length; edge++)
    if (!(targets[edge]! & weakBit)) first[targets[edge]! & targetMask]!++;
  yield 0.3;
  let sum = 0;
  for (let node = 0; node <= meta.nodeCount; node++) {
    sum += first[node]!;
    first[node] = sum;
  }
  const sources = new Uint32Array(sum);
  // filled from the end of each part, which leaves `first` at its beginning
  for (let node = meta.nodeCount - 1; node >= 0; node--) {
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
      const target = targets[edge]!;
      if (!(target & weakBit)) sources[--first[target & targetMask]!] = (node | (target & shortcutBit)) >>> 0;
    }
    if (node % 500_000 === 0) yield 0.3 + 0.7 * (1 - node / meta.nodeCount);
  }
  return { first, sources };
}

/** What the program itself holds, without what only the inspector or shortcuts lead to. */
function* ownedByProgram(
  { meta, firstEdge, targets }: Parsed,
  documentTrees: number,
  stack: Uint32Array,
): Steps<Uint8Array> {
  const owned = new Uint8Array(meta.nodeCount);
  let depth = 0;
  const visit = (node: number) => {
    if (owned[node]) return;
    owned[node] = 1;
    stack[depth++] = node;
  };
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    const target = targets[edge]!;
    if (!(target & (shortcutBit | weakBit)) && (target & targetMask) !== documentTrees) visit(target & targetMask);
  }
  for (let count = 0; depth > 0; count++) {
    const node = stack[--depth]!;
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++)
      if (!(targets[edge]! & weakBit)) visit(targets[edge]! & targetMask);
    if (count % 500_000 === 499_999) yield count / meta.nodeCount;
  }
  return owned;
}

/** @param documentTrees Chrome's synthetic node of that name, -1 without. */
export function* dominatorsOf(parsed: Parsed, retainers: Retainers, documentTrees = -1): Steps<Dominators> {
  const { meta, firstEdge, targets } = parsed;
  const count = meta.nodeCount;
  const wide = new ArrayBuffer(8 * (count + 1));
  const semi = new Uint32Array(wide, 0, count + 1);
  const label = new Uint32Array(wide, 4 * (count + 1), count + 1);
  const owned = yield* ownedByProgram(parsed, documentTrees, semi);
  const counts = (from: number, to: number, shortcut: number) =>
    from !== to && (from === root || (!shortcut && !(owned[to] && !owned[from])));

  // all but `numberOf` are by the number of depth-first search, from 1; `label` is its cursor before it is a label
  const numberOf = new Uint32Array(count);
  const vertex = new Uint32Array(count + 1);
  const ancestor = new Uint32Array(count + 1);
  const dominator = new Uint32Array(count + 1);
  let last = 0;
  const number = (node: number, parent: number) => {
    numberOf[node] = ++last;
    vertex[last] = node;
    ancestor[last] = parent;
    label[last] = firstEdge[node]!;
    return last;
  };
  function* search(from: number, parent: number): Steps<void> {
    const stop = parent;
    let at = number(from, parent);
    while (at !== stop) {
      const node = vertex[at]!;
      const end = firstEdge[node + 1]!;
      let edge = label[at]!;
      let next = 0;
      for (; edge < end && next === 0; edge++) {
        const target = targets[edge]!;
        if (target & weakBit) continue;
        const to = target & targetMask;
        if (numberOf[to] === 0 && counts(node, to, target & shortcutBit)) next = number(to, at);
      }
      label[at] = edge;
      at = next || ancestor[at]!;
      if (last % 500_000 === 0) yield (0.4 * last) / count;
    }
  }
  yield* search(root, 0);
  // what nothing but weak edges and shortcuts leads to hangs on the root, with what it holds
  const heldBySome = (node: number) => {
    for (let i = retainers.first[node]!; i < retainers.first[node + 1]!; i++)
      if (!(retainers.sources[i]! & shortcutBit)) return true;
    return false;
  };
  if (last < count)
    for (let node = 0; node < count; node++) if (!numberOf[node] && !heldBySome(node)) yield* search(node, 1);
  // the rest hold each other: each on the root
  const attachedFrom = last + 1;
  if (last < count) for (let node = 0; node < count; node++) if (!numberOf[node]) number(node, 1);

  dominator.set(ancestor);
  for (let i = 1; i <= count; i++) semi[i] = label[i] = i;
  for (let i = count; i >= 2; i--) {
    const node = vertex[i]!;
    let least = i >= attachedFrom ? 1 : ancestor[i]!;
    let orphan = true;
    for (let k = retainers.first[node]!; k < retainers.first[node + 1]!; k++) {
      const source = retainers.sources[k]!;
      const from = source & targetMask;
      if (!counts(from, node, source & shortcutBit)) continue;
      orphan = false;
      const candidate = leastAbove(numberOf[from]!, i, ancestor, label);
      if (candidate < least) least = candidate;
    }
    semi[i] = label[i] = orphan ? 1 : least;
    if (i % 500_000 === 0) yield 0.4 + 0.55 * (1 - i / count);
  }
  for (let i = 2; i <= count; i++) {
    let candidate = dominator[i]!;
    while (candidate > semi[i]!) candidate = dominator[candidate]!;
    dominator[i] = candidate;
  }
  const parent = ancestor.subarray(0, count);
  for (let i = count; i >= 1; i--) numberOf[vertex[i]!] = i;
  for (let node = 0; node < count; node++) parent[node] = vertex[Math.max(1, dominator[numberOf[node]!]!)]!;
  return { parent, order: vertex.subarray(1), spare: [numberOf, dominator.subarray(0, count)], spareWide: wide };
}

/**
 * The least label from `from` up to, without, the tree's root among numbers of `linkedFrom` and more. The path is compressed;
 * on the way up its links are turned round, on the way down they are set, so that it takes no stack.
 */
function leastAbove(from: number, current: number, ancestor: Uint32Array, label: Uint32Array): number {
  // not linked yet: nothing above it counts
  if (from <= current) return label[from]!;
  let [below, at] = [0, from];
  while (ancestor[at]! > current) {
    const above = ancestor[at]!;
    ancestor[at] = below;
    below = at;
    at = above;
  }
  const top = ancestor[at]!;
  while (below !== 0) {
    const next = ancestor[below]!;
    if (label[at]! < label[below]!) label[below] = label[at]!;
    ancestor[below] = top;
    at = below;
    below = next;
  }
  return label[from]!;
}

/** Bytes that go when a node goes: its own, and those of all it dominates. */
export function retainedSizes(
  { parent, order, spareWide }: Dominators,
  sizeOf: (node: number) => number,
): Float64Array {
  const retained = new Float64Array(spareWide, 0, parent.length);
  for (let node = 0; node < parent.length; node++) retained[node] = sizeOf(node);
  for (let i = order.length - 1; i > 0; i--) {
    const node = order[i]!;
    retained[parent[node]!]! += retained[node]!;
  }
  return retained;
}
