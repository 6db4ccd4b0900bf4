import type { HeapGraph } from './graph.ts';
import type { Scripts } from './scripts.ts';
import { walkDominators } from './tree.ts';

export interface PackageShare {
  /** npm package, `(app)` for the program's own files, `(node)` for Node's, `(none)` for what nothing tells. */
  readonly name: string;
  readonly objects: number;
  readonly selfBytes: number;
}

/**
 * Whose bytes they are: of the package in whose file the function or the object's class is written; for what has no such
 * place (plain objects, strings), that of the nearest dominator that has one.
 */
export function byPackage(graph: HeapGraph, scripts: Scripts): PackageShare[] {
  // by node, one more than the index of its package; 0 without
  const own = new Uint16Array(graph.nodeCount);
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const set = (node: number, name: string) => {
    let number = numbers.get(name);
    if (number === undefined) {
      if (names.length === 0xffff) return;
      number = names.push(name);
      numbers.set(name, number);
    }
    own[node] = number;
  };
  const ofScript = new Map<string, string | undefined>();
  for (const node of graph.placed) {
    const script = scripts.nameOf(graph.place(node)!);
    if (script === undefined) continue;
    if (!ofScript.has(script)) ofScript.set(script, packageOf(script));
    const name = ofScript.get(script);
    if (name !== undefined) set(node, name);
  }
  for (const node of scripts.nodes) {
    const name = packageOf(graph.name(node));
    if (name !== undefined) set(node, name);
  }
  const sums = new Map<string, { objects: number; selfBytes: number }>();
  const stack: { node: number; name: string }[] = [{ node: -1, name: '(none)' }];
  walkDominators(
    graph,
    (node) => {
      const number = own[node]!;
      const named = number === 0 ? undefined : names[number - 1]!;
      if (named !== undefined) stack.push({ node, name: named });
      const { name } = stack[stack.length - 1]!;
      const sum = sums.get(name);
      if (sum === undefined) sums.set(name, { objects: 1, selfBytes: graph.size(node) });
      else {
        sum.objects++;
        sum.selfBytes += graph.size(node);
      }
    },
    (node) => {
      if (stack[stack.length - 1]!.node === node) stack.pop();
    },
  );
  return [...sums]
    .map(([name, sum]) => ({ name, ...sum }))
    .sort((a, b) => b.selfBytes - a.selfBytes || (a.name < b.name ? -1 : 1));
}

/** The innermost package of a path. */
export function packageOf(script: string): string | undefined {
  if (/^(?:node:|internal\/)/.test(script)) return '(node)';
  const tail = script.split(/[\\/]node_modules[\\/]/);
  if (tail.length === 1) return /[\\/]/.test(script) ? '(app)' : undefined;
  const [first, second] = tail[tail.length - 1]!.split(/[\\/]/);
  return first!.startsWith('@') && second !== undefined ? `${first}/${second}` : first!;
}
