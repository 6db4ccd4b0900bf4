/** One heap snapshot being asked about: the graph, with what is worked out of it when somebody wants it. */
import { NodeopsError } from '../../protocol/errors.ts';
import { Classes } from './classes.ts';
import { type HeapGraph, readHeap } from './graph.ts';
import { Routes } from './routes.ts';
import { Scripts } from './scripts.ts';
import type { ByteSource } from './source.ts';
import { type WordOptions, wayInWords, wayWords } from './words.ts';

export interface OpenOptions {
  /** Called now and then with how far it is, from 0 to 1. */
  readonly progress?: (done: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export class Heap {
  readonly graph: HeapGraph;
  #classes: Classes | undefined;
  #routes: Routes | undefined;
  #scripts: Scripts | undefined;
  readonly #wording: WordOptions = { site: (closure) => this.scripts.site(closure), known: new Map() };

  constructor(graph: HeapGraph) {
    this.graph = graph;
  }

  get classes(): Classes {
    this.#classes ??= new Classes(this.graph);
    return this.#classes;
  }
  get routes(): Routes {
    this.#routes ??= new Routes(this.graph);
    return this.#routes;
  }
  get scripts(): Scripts {
    this.#scripts ??= new Scripts(this.graph);
    return this.#scripts;
  }

  /** The shortest way from a root, in words. */
  path(node: number): string {
    return wayInWords(this.graph, this.routes.to(node), this.#wording);
  }
  /** The same step by step, of any length. */
  words(node: number): string[] {
    return wayWords(this.graph, this.routes.to(node), this.#wording);
  }
}

/** Reads a snapshot; others have their turn in between. Throws NodeopsError `failed`, `too-large` or `cancelled`. */
export async function openHeap(source: ByteSource, { progress, signal }: OpenOptions = {}): Promise<Heap> {
  const steps = readHeap(source);
  let last = Date.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return new Heap(value);
    // a step is a millisecond or less: not each of them is worth a turn of the loop
    if (Date.now() - last < 50) continue;
    progress?.(value);
    await new Promise(setImmediate);
    if (signal?.aborted) throw new NodeopsError('failed', 'interrupted', { cause: signal.reason });
    last = Date.now();
  }
}
