/** Which file a place is in. Locations tell V8's number of a script; a function's path to its script tells the name. */
import type { HeapGraph, Place } from './graph.ts';
import { clean } from './labels.ts';

/** Functions of one script that are asked for its name; a script of `eval` has none. */
const limitTries = 3;

export class Scripts {
  readonly #graph: HeapGraph;
  /** V8's own objects of the scripts; each is named as the file is, and holds the source text. */
  readonly nodes: number[] = [];
  readonly #names = new Map<number, string>();

  constructor(graph: HeapGraph) {
    this.#graph = graph;
    const closure = graph.typeNamed('closure');
    const tried = new Map<number, number>();
    for (const node of graph.placed) {
      if (graph.typeIndex(node) !== closure) continue;
      const { scriptId } = graph.place(node)!;
      const tries = tried.get(scriptId) ?? 0;
      if (this.#names.has(scriptId) || tries >= limitTries) continue;
      tried.set(scriptId, tries + 1);
      const script = scriptOf(graph, node);
      if (script === undefined) continue;
      this.#names.set(scriptId, graph.name(script));
      this.nodes.push(script);
    }
  }

  /** Path or URL, as Node knows it; undefined where no function of the script is left. */
  nameOf({ scriptId }: Place): string | undefined {
    return this.#names.get(scriptId);
  }

  /** `/app/server.js:12` of a function or an instance; undefined where it is not known. */
  site(node: number): string | undefined {
    const place = this.#graph.place(node);
    const name = place && this.nameOf(place);
    return name === undefined ? undefined : `${clean(name.replace(/^file:\/\//, ''), 200)}:${place!.line}`;
  }
}

function scriptOf(graph: HeapGraph, closure: number): number | undefined {
  const shared = follow(graph, closure, 'shared');
  if (shared === undefined) return undefined;
  // the second is its name up to Node 20
  const script = follow(graph, shared, 'script') ?? follow(graph, shared, 'script_or_debug_info');
  return script === undefined || /^(?:system \/.*)?$/.test(graph.name(script)) ? undefined : script;
}

function follow(graph: HeapGraph, node: number, name: string): number | undefined {
  return graph.edges(node).find((edge) => edge.type === 'internal' && edge.name === name)?.to;
}
