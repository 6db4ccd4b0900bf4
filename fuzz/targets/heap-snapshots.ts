import { readHeap } from '../../src/formats/heap/graph.ts';
import { Heap } from '../../src/formats/heap/heap.ts';
import { HeapQueries } from '../../src/formats/heap/queries.ts';
import { bytesSource } from '../../src/formats/heap/source.ts';
import { NodeopsError } from '../../src/protocol/errors.ts';
import type { Target } from '../fuzz.ts';

const [node, edge] = [
  ['type', 'name', 'id', 'self_size', 'edge_count', 'trace_node_id', 'detachedness'],
  ['type', 'name_or_index', 'to_node'],
];
const nodeTypes = ['hidden', 'array', 'string', 'object', 'code', 'closure', 'native', 'synthetic'];
const edgeTypes = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];
const strings = ['', '(GC roots)', 'Map', 'cache', 'table', 'a \\"text\\" \u20ac', 'handle'];
const meta = {
  node_fields: node,
  node_types: [nodeTypes, 'string', 'number', 'number', 'number', 'number', 'number'],
  edge_fields: edge,
  edge_types: [edgeTypes, 'string_or_number', 'node'],
  location_fields: ['object_index', 'script_id', 'line', 'column'],
};
const snapshot = {
  snapshot: { meta, node_count: 5, edge_count: 6, trace_function_count: 0 },
  nodes: [
    [7, 0, 1, 0, 2, 0, 0],
    [3, 2, 3, 32, 1, 0, 0],
    [1, 0, 5, 160, 2, 0, 0],
    [2, 5, 7, 24, 0, 0, 0],
    [5, 6, 9, 56, 1, 0, 2],
  ].flat(),
  edges: [
    [1, 0, 7],
    [2, 3, 28],
    [3, 4, 14],
    [1, 5, 21],
    [6, 1, 28],
    [0, 3, 7],
  ].flat(),
  locations: [28, 12, 3, 9],
  strings,
};

/** A snapshot read as `view` does, and asked what a prompt is asked. */
export const heapsnapshot: Target = {
  seeds: [snapshot, { ...snapshot, locations: [] }].map((value) => Buffer.from(JSON.stringify(value))),
  words: ['"node_count":1000000000', '-1', '4294967296', '1e9', '[[[[[[[[', '"strings"', '"nodes"', '99999999999'],
  run(input) {
    const steps = readHeap(bytesSource(input));
    let step = steps.next();
    while (!step.done) step = steps.next();
    const queries = new HeapQueries(new Heap(step.value));
    for (const query of ['top', 'classes', 'dominators', 'show @3', 'path @7', 'retainers @3', 'grep .', 'by package'])
      queries.answer(query);
    for (const query of ['strings', 'closures', 'buffers', 'detached']) queries.answer(query);
  },
  isRefusal: (error) => error instanceof NodeopsError && !/\n/.test(error.message),
};
