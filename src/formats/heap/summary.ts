/** What a heap snapshot says of itself, as a plain value. */
import type { ClassShare } from './classes.ts';
import { largestDominators } from './dominating.ts';
import { arrayBuffers, closures, type DuplicateString, detachedThings, duplicateStrings } from './findings.ts';
import { rootNode } from './graph.ts';
import type { Heap } from './heap.ts';
import { className } from './labels.ts';
import { byPackage, type PackageShare } from './packages.ts';

export interface KeptObject {
  /** V8's number of it: `show @ID`. */
  readonly id: number;
  readonly class: string;
  readonly retainedBytes: number;
  readonly path: string;
}

export interface HeapSummary {
  readonly nodes: number;
  readonly edges: number;
  readonly strings: number;
  /** Bytes of everything there is. */
  readonly totalBytes: number;
  readonly classes: readonly (Omit<ClassShare, 'largest'> & { readonly largestId: number })[];
  readonly dominators: readonly KeptObject[];
  readonly packages: readonly PackageShare[];
  readonly duplicateStrings: readonly (Omit<DuplicateString, 'node'> & {
    readonly id: number;
    readonly path: string;
  })[];
  readonly closures: readonly {
    readonly name: string;
    readonly site: string | null;
    readonly count: number;
    readonly retainedBytes: number;
    readonly id: number;
  }[];
  readonly arrayBuffers: {
    readonly count: number;
    readonly bytes: number;
    readonly largest: readonly { readonly id: number; readonly bytes: number; readonly path: string }[];
  };
  readonly detached: {
    readonly count: number;
    readonly largest: readonly (KeptObject & { readonly what: 'context' | 'native' })[];
  };
}

export interface SummaryOptions {
  /** Rows of each list. @default 10 */
  readonly rows?: number;
}

export function summarize(heap: Heap, { rows = 10 }: SummaryOptions = {}): HeapSummary {
  const { graph, scripts } = heap;
  const kept = (node: number): KeptObject => ({
    id: graph.id(node),
    class: className(graph, node),
    retainedBytes: graph.retained[node]!,
    path: heap.path(node),
  });
  const buffers = arrayBuffers(graph);
  const detached = detachedThings(graph);
  return {
    nodes: graph.nodeCount,
    edges: graph.edgeCount,
    strings: graph.strings.length,
    totalBytes: graph.retained[rootNode]!,
    classes: heap.classes.shares
      .slice(0, rows)
      .map(({ largest, ...share }) => ({ ...share, largestId: graph.id(largest) })),
    dominators: largestDominators(graph, rows).map(kept),
    packages: byPackage(graph, scripts).slice(0, rows),
    duplicateStrings: duplicateStrings(graph, Math.ceil(rows / 2)).map(({ node, ...share }) => ({
      ...share,
      id: graph.id(node),
      path: heap.path(node),
    })),
    closures: closures(graph, (node) => scripts.site(node), rows).map(({ node, site, ...share }) => ({
      ...share,
      site: site ?? null,
      id: graph.id(node),
    })),
    arrayBuffers: {
      count: buffers.length,
      bytes: buffers.reduce((sum, { bytes }) => sum + bytes, 0),
      largest: buffers
        .slice(0, Math.ceil(rows / 2))
        .map(({ node, bytes }) => ({ id: graph.id(node), bytes, path: heap.path(node) })),
    },
    detached: {
      count: detached.length,
      largest: detached.slice(0, Math.ceil(rows / 2)).map(({ node, what }) => ({ ...kept(node), what })),
    },
  };
}
