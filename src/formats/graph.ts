/** Flat and cumulative values per function, and who called whom: what every report is made of. */
import { emptyStack, type Profile } from './model.ts';

export interface GraphNode {
  readonly id: number;
  /** As its granularity made it. */
  readonly key: string;
  /** What reports print. */
  readonly name: string;
  /** Value of samples in which this is the innermost frame. */
  flat: number;
  /** Value of samples in which it is anywhere; recursion counts once. */
  cum: number;
}

export interface GraphEdge {
  readonly caller: number;
  readonly callee: number;
  weight: number;
}

export interface Graph {
  /** In order of first appearance. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** Puts frames into nodes. */
export interface Granularity {
  /** A key per frame of the profile; frames with the same key are one node. */
  readonly keys: readonly string[];
  readonly names: readonly string[];
}

/** One node per function: name, file and first line. */
export function byFunction(profile: Profile): Granularity {
  const keys = profile.functions.map(({ name, file, line }) => `${name}\0${file}\0${line}`);
  const names = profile.functions.map(({ name, file, line }) => [name, place(file, line)].filter(Boolean).join(' '));
  return {
    keys: profile.frameFunction.map((id) => keys[id]!),
    names: profile.frameFunction.map((id) => names[id]!),
  };
}

/** One node per line of a function. */
export function byLine(profile: Profile): Granularity {
  const names = profile.frameFunction.map((id, frame) => {
    const { name, file, line } = profile.functions[id]!;
    return [name, place(file, profile.frameLine[frame]! || line)].filter(Boolean).join(' ');
  });
  return { keys: names, names };
}

/** `FILE:LINE` as reports show it: without `file://`. */
export function place(file: string, line: number): string {
  if (!file) return '';
  return file.replace(/^file:\/\//, '') + (line > 0 ? `:${line}` : '');
}

// two node ids in one exact integer
const range = 2 ** 26;

/**
 * The graph of one column. With `kept` only those keys become nodes; calls through others are then edges between the kept
 * ones around them, and flat values of others are nobody's.
 */
export function graphOf(profile: Profile, column: number, granularity: Granularity, kept?: ReadonlySet<string>): Graph {
  const nodes: GraphNode[] = [];
  const edges = new Map<number, GraphEdge>();
  const nodeOfKey = new Map<string, GraphNode>();
  const nodeOfFrame = granularity.keys.map((key, frame) => {
    if (kept && !kept.has(key)) return undefined;
    let node = nodeOfKey.get(key);
    if (!node) {
      node = { id: nodes.length, key, name: granularity.names[frame]!, flat: 0, cum: 0 };
      nodes.push(node);
      nodeOfKey.set(key, node);
    }
    return node;
  });
  const nodeSeen = new Map<number, number>();
  const edgeSeen = new Map<number, number>();
  const values = profile.values[column]!;
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = values[sample]!;
    if (value === 0) continue;
    let callee: GraphNode | undefined;
    let innermost = true;
    for (let stack = profile.sampleStack[sample]!; stack !== emptyStack; stack = profile.stackParent[stack]!) {
      const node = nodeOfFrame[profile.stackFrame[stack]!];
      if (node && innermost) node.flat += value;
      innermost = false;
      if (!node) continue;
      if (nodeSeen.get(node.id) !== sample) {
        nodeSeen.set(node.id, sample);
        node.cum += value;
      }
      if (callee && callee !== node) {
        const key = node.id * range + callee.id;
        if (edgeSeen.get(key) !== sample) {
          edgeSeen.set(key, sample);
          const edge = edges.get(key);
          if (edge) edge.weight += value;
          else edges.set(key, { caller: node.id, callee: callee.id, weight: value });
        }
      }
      callee = node;
    }
  }
  return { nodes: nodes.filter((node) => node.cum !== 0 || node.flat !== 0), edges: [...edges.values()] };
}
