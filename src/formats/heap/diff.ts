/** Two snapshots of one program: what came, what went, and what keeps what grew. */
import { largestDominators } from './dominating.ts';
import { rootNode } from './graph.ts';
import type { Heap } from './heap.ts';
import { className } from './labels.ts';

export interface ClassChange {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** Objects that were not there before; where objects cannot be told apart, what the counts say. */
  readonly came: number;
  readonly went: number;
  readonly stayed: number;
  readonly selfBytes: number;
  readonly retainedBytes: number;
  /** What keeps most of what came; null for what did not grow. */
  readonly path: string | null;
  /** Where the function or class is written. */
  readonly site: string | null;
}

export interface PathChange {
  readonly path: string;
  readonly class: string;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  /** In the later snapshot. */
  readonly id: number;
}

export interface HeapChanges {
  /** `objects` where V8's numbers of objects are the same in both, `classes` where only counts can be compared. */
  readonly matched: 'objects' | 'classes';
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly beforeNodes: number;
  readonly afterNodes: number;
  /** What keeps more than before, most first. */
  readonly paths: readonly PathChange[];
  /** By growth of retained size; those that shrank last. */
  readonly classes: readonly ClassChange[];
}

export interface DiffOptions {
  /** @default 15 */
  readonly rows?: number;
}

/** Points of the later heap that are compared; of the earlier one more, so that what was small is found. */
const [pointsAfter, pointsBefore] = [200, 2_000];
/** Objects of a class whose ways are looked at. */
const sampled = 80;

export function diffHeaps(before: Heap, after: Heap, { rows = 15 }: DiffOptions = {}): HeapChanges {
  const matched = sameNumbers(before, after);
  const isNew = matched ? newNodes(before, after) : () => true;
  return {
    matched: matched ? 'objects' : 'classes',
    beforeBytes: before.graph.retained[rootNode]!,
    afterBytes: after.graph.retained[rootNode]!,
    beforeNodes: before.graph.nodeCount,
    afterNodes: after.graph.nodeCount,
    paths: pathChanges(before, after).slice(0, rows),
    classes: classChanges(before, after, matched, isNew, rows),
  };
}

/** Whether an object has the same number in both: V8 keeps them for as long as the inspector session or the app does. */
function sameNumbers(before: Heap, after: Heap): boolean {
  const later = idIndex(after);
  let [common, same] = [0, 0];
  const step = Math.max(1, Math.floor(before.graph.nodeCount / 2_000));
  for (let node = 0; node < before.graph.nodeCount; node += step) {
    const other = later(before.graph.id(node));
    if (other < 0) continue;
    common++;
    const equal =
      before.graph.type(node) === after.graph.type(other) && before.graph.name(node) === after.graph.name(other);
    if (equal) same++;
  }
  return common >= 200 && same >= 0.95 * common;
}

/** Nodes by id, by binary search. */
function idIndex({ graph }: Heap): (id: number) => number {
  const [order] = graph.borrow();
  for (let node = 0; node < graph.nodeCount; node++) order[node] = node;
  const sorted = order.slice(0, graph.nodeCount).sort((a, b) => graph.id(a) - graph.id(b));
  return (id) => {
    let [low, high] = [0, sorted.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = graph.id(sorted[middle]!);
      if (found === id) return sorted[middle]!;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  };
}

function newNodes(before: Heap, after: Heap): (node: number) => boolean {
  const ids = Uint32Array.from({ length: before.graph.nodeCount }, (_, node) => before.graph.id(node)).sort();
  return (node) => {
    const id = after.graph.id(node);
    let [low, high] = [0, ids.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (ids[middle] === id) return false;
      if (ids[middle]! < id) low = middle + 1;
      else high = middle - 1;
    }
    return true;
  };
}

function pathChanges(before: Heap, after: Heap): PathChange[] {
  const earlier = new Map<string, number>();
  for (const node of largestDominators(before.graph, pointsBefore, 0.0001)) {
    const key = general(before.words(node));
    earlier.set(key, Math.max(earlier.get(key) ?? 0, before.graph.retained[node]!));
  }
  const seen = new Set<string>();
  const changes: PathChange[] = [];
  for (const node of largestDominators(after.graph, pointsAfter, 0.001)) {
    const key = general(after.words(node));
    if (seen.has(key)) continue;
    seen.add(key);
    const [beforeBytes, afterBytes] = [earlier.get(key) ?? 0, after.graph.retained[node]!];
    if (afterBytes > beforeBytes)
      changes.push({
        path: after.path(node),
        class: className(after.graph, node),
        beforeBytes,
        afterBytes,
        id: after.graph.id(node),
      });
  }
  return changes.sort((a, b) => b.afterBytes - b.beforeBytes - (a.afterBytes - a.beforeBytes));
}

function classChanges(
  before: Heap,
  after: Heap,
  matched: boolean,
  isNew: (node: number) => boolean,
  rows: number,
): ClassChange[] {
  const earlier = new Map(before.classes.shares.map((share) => [share.name, share]));
  const later = new Map(after.classes.shares.map((share) => [share.name, share]));
  const all = [...new Set([...later.keys(), ...earlier.keys()])].map((name) => {
    const [a, b] = [earlier.get(name), later.get(name)];
    return {
      name,
      before: a?.count ?? 0,
      after: b?.count ?? 0,
      selfBytes: (b?.selfBytes ?? 0) - (a?.selfBytes ?? 0),
      retainedBytes: (b?.retainedBytes ?? 0) - (a?.retainedBytes ?? 0),
    };
  });
  all.sort((x, y) => y.retainedBytes - x.retainedBytes || y.selfBytes - x.selfBytes || (x.name < y.name ? -1 : 1));
  const changed = all.filter(
    ({ retainedBytes, selfBytes, before: was, after: is }) => retainedBytes || selfBytes || was !== is,
  );
  const shown =
    changed.length <= 2 * rows ? changed : [...changed.slice(0, rows), ...changed.slice(-Math.ceil(rows / 3))];
  return shown.map((change) => {
    const nodes = after.classes.nodesOf(change.name);
    const fresh = matched ? nodes.filter(isNew) : nodes;
    const came = matched ? fresh.length : Math.max(0, change.after - change.before);
    const stayed = change.after - came;
    const grew = change.retainedBytes > 0 || change.after > change.before;
    const some = grew ? spread(fresh, sampled) : [];
    return {
      ...change,
      came,
      stayed,
      went: change.before - stayed,
      path: some.length > 0 ? commonPath(after, before, change.name, some, matched) : null,
      // of functions that are only counted nobody knows which are new
      site: matched || change.name !== '(closure)' ? (firstOf(some, (node) => after.scripts.site(node)) ?? null) : null,
    };
  });
}

function firstOf<T>(nodes: readonly number[], of: (node: number) => T | undefined): T | undefined {
  for (const node of nodes) {
    const found = of(node);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Evenly over the list. */
function spread(nodes: readonly number[], most: number): number[] {
  if (nodes.length <= most) return [...nodes];
  return Array.from({ length: most }, (_, i) => nodes[Math.floor((i * nodes.length) / most)]!);
}

interface Branch {
  count: number;
  readonly next: Map<string, Branch>;
}

/**
 * The way that most of some nodes have in common, and in what they differ left out. Where objects are only counted, what led to
 * those of the earlier heap is taken off first.
 */
function commonPath(after: Heap, before: Heap, name: string, nodes: readonly number[], matched: boolean): string {
  const tree: Branch = { count: 0, next: new Map() };
  const add = (words: readonly string[], count: number) => {
    let branch = tree;
    branch.count += count;
    for (const word of words) {
      let next = branch.next.get(word);
      if (!next) {
        next = { count: 0, next: new Map() };
        branch.next.set(word, next);
      }
      next.count += count;
      branch = next;
    }
  };
  const all = after.classes.shares.find((share) => share.name === name)!.count;
  for (const node of nodes) add(after.words(node).map(generalWord), (matched ? 1 : all / nodes.length) || 1);
  if (!matched) {
    const old = before.classes.nodesOf(name);
    const some = spread(old, sampled);
    for (const node of some) add(before.words(node).map(generalWord), -old.length / some.length);
  }
  const words: string[] = [];
  for (let branch = tree, open = true; open; ) {
    const [best] = [...branch.next].sort(([, a], [, b]) => b.count - a.count);
    open = best !== undefined && best[1].count > 0 && best[1].count >= branch.count / 2;
    if (!open) {
      if (branch.next.size > 0) words.push('…');
      break;
    }
    words.push(best![0]);
    branch = best![1];
  }
  if (words[0] === '…') return after.path(nodes[nodes.length - 1]!);
  return words.at(-1) === '…' ? [...words, name].join(' → ') : words.join(' → ');
}

/** Without what tells one of many from another: indexes, texts. */
function generalWord(word: string): string {
  return word
    .replace(/^\[\d+\]/, '[…]')
    .replace(/^".*"$/s, '(string)')
    .replace(/ ×\d+$/, ' ×…')
    .replace(/^… \d+ more steps …$/, '…');
}

function general(words: readonly string[]): string {
  return words.map(generalWord).join(' → ');
}
