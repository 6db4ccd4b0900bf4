import { describe, expect, it } from 'vitest';
import { type Heap, openHeap } from '../../../src/formats/heap/heap.ts';
import { HeapQueries } from '../../../src/formats/heap/queries.ts';
import { bytesSource } from '../../../src/formats/heap/source.ts';
import { summarize } from '../../../src/formats/heap/summary.ts';
import { random } from '../random.ts';
import { nodes as majors, record } from '../record.ts';
import { type MadeEdge, type MadeNode, made } from './made.ts';
import { Reference } from './reference.ts';

const open = (json: object | string): Promise<Heap> =>
  openHeap(bytesSource(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))));

/** 1 for each node that a node keeps, by our tree. */
function below({ graph }: Heap, node: number): Uint8Array {
  // 0: not asked yet, 1: below, 2: not
  const state = new Uint8Array(graph.nodeCount);
  [state[0], state[node]] = [2, 1];
  for (let at = 1; at < graph.nodeCount; at++) {
    const way: number[] = [];
    let up = at;
    for (; state[up] === 0; up = graph.dominator[up]!) way.push(up);
    for (const one of way) state[one] = state[up]!;
  }
  return state.map((one) => (one === 1 ? 1 : 0));
}

function expectAsReference(heap: Heap, reference: Reference, node: number, reached: Uint8Array): void {
  const without = reference.reachedWithout(node);
  const lost = reached.map((was, at) => (was && (at === node || !without[at]) ? 1 : 0));
  expect(Buffer.compare(below(heap, node), lost), `what node ${node} keeps`).toBe(0);
  let bytes = 0;
  for (let at = 1; at < reference.count; at++) if (lost[at]) bytes += reference.size[at]!;
  expect(heap.graph.retained[node]).toBe(bytes);
}

describe('dominators', () => {
  it.each(Array.from({ length: 60 }, (_, i) => i))(
    'of a random heap (%i) are what is lost when a node is taken away',
    async (seed) => {
      const draw = random(seed);
      const count = 2 + Math.floor(draw() * 40);
      const nodes = Array.from({ length: count }, (_, i): MadeNode => [i === 0 ? 'synthetic' : 'object', `n${i}`, i]);
      const types = ['property', 'property', 'property', 'internal', 'context', 'weak', 'shortcut'];
      const edges = Array.from({ length: Math.floor(count * (0.8 + 2 * draw())) }, (_, i): MadeEdge => {
        const [from, to] = [Math.floor(draw() * count), 1 + Math.floor(draw() * (count - 1))];
        return [from, types[Math.floor(draw() * types.length)]!, `e${i}`, to];
      });
      const json = made(nodes, edges);
      const [heap, reference] = [await open(json), new Reference(json as never)];
      const reached = reference.reachedWithout(-1);
      for (let node = 1; node < count; node++) if (reached[node]) expectAsReference(heap, reference, node, reached);
      expect(heap.graph.retained[0]).toBe(nodes.reduce((sum, [, , size]) => sum + size, 0));
    },
  );

  it('of an endless list take no recursion', async () => {
    const count = 100_000;
    const json = made([['synthetic', '', 0]], []) as {
      snapshot: { node_count: number; edge_count: number };
      nodes: number[];
      edges: number[];
    };
    json.snapshot.node_count = count;
    json.snapshot.edge_count = count - 1;
    json.nodes = Array.from({ length: count }, (_, i) => [3, 0, 2 * i + 1, 8, i < count - 1 ? 1 : 0, 0, 0]).flat();
    json.edges = Array.from({ length: count - 1 }, (_, i) => [2, 0, 7 * (i + 1)]).flat();
    const { graph, path } = await open(json).then((heap) => ({ graph: heap.graph, path: heap.path(count - 1) }));
    expect(graph.retained[1]).toBe(8 * (count - 1));
    expect(path).toContain('×');
  });
});

const program = `
class Login { constructor(i) { this.user = { name: 'user ' + i }; this.handler = () => i; } }
globalThis.cache = new Map(Array.from({ length: 3000 }, (_, i) => ['key' + i, new Login(i)]));
globalThis.buffers = [Buffer.alloc(3_000_000, 1)];
globalThis.texts = Array.from({ length: 50 }, () => Buffer.alloc(500, 'same').toString('latin1'));
globalThis.other = require('vm').createContext({ marker: 1 });
let text = '';
session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => { text += params.chunk; });
session.post('HeapProfiler.takeHeapSnapshot').then(() => result(text));
`;

describe.each(majors)('a snapshot of $name', ({ path: node }) => {
  let text: string;
  let heap: Heap;

  it('has the dominators that its references make', async () => {
    text = JSON.parse(await record(node, program));
    heap = await open(text);
    const reference = new Reference(JSON.parse(text));
    const reached = reference.reachedWithout(-1);
    const draw = random(1);
    const { graph } = heap;
    const largest = Array.from({ length: graph.nodeCount }, (_, i) => i)
      .sort((a, b) => graph.retained[b]! - graph.retained[a]!)
      .slice(1, 25);
    const some = Array.from({ length: 25 }, () => 1 + Math.floor(draw() * (graph.nodeCount - 1)));
    for (const at of [...largest, ...some]) if (reached[at]) expectAsReference(heap, reference, at, reached);
  });

  it('says what is kept by whom', () => {
    const summary = summarize(heap);
    const sessions = heap.classes.shares.find(({ name }) => name === 'Login');
    expect(sessions?.count).toBe(3000);
    const cache = summary.dominators.find(({ path }) => path === 'global.cache (Map)');
    expect(cache?.retainedBytes).toBeGreaterThan(sessions!.retainedBytes);
    expect(heap.path(sessions!.largest)).toMatch(/^global\.cache \(Map\) → value → Login$/);
    expect(summary.arrayBuffers.largest[0]).toMatchObject({
      bytes: 3_000_000,
      path: expect.stringMatching(/^global\.buffers → \[0\] \(Buffer\) → ArrayBuffer$/),
    });
    expect(summary.duplicateStrings).toContainEqual(
      expect.objectContaining({ count: 50, text: expect.stringMatching(/^samesame/) }),
    );
    expect(summary.closures).toContainEqual(expect.objectContaining({ count: 3000 }));
    expect(summary.detached.largest).toContainEqual(expect.objectContaining({ what: 'context' }));
    expect(summary.packages.map(({ name }) => name)).toContain('(node)');
  });

  it('answers questions', () => {
    const queries = new HeapQueries(heap);
    const id = heap.graph.id(heap.classes.shares.find(({ name }) => name === 'Login')!.largest);
    expect(queries.answer('classes Login')).toMatch(/3000 {2}Login/);
    expect(queries.answer(`show @${id}`)).toMatch(/Login @\d+[\s\S]*user → Object/);
    expect(queries.answer(`path @${id}`)).toMatch(/^global\.cache \(Map\) → value → Login/);
    expect(queries.answer(`retainers @${id}`)).toMatch(/of \(array\)|of Map/);
    expect(queries.answer(`dominators @${id}`)).toMatch(/handler|Object/);
    expect(queries.answer('strings')).toContain('×50');
    expect(queries.answer('grep ^user 2999$')).toContain('"user 2999"');
    expect(queries.answer('by package')).toContain('(node)');
    expect(queries.answer('help')).toContain('retainers');
    expect(queries.answer('nonsense')).toBeUndefined();
    expect(() => queries.answer('path @4294967295')).toThrow(/there is no object @4294967295/);
    expect(() => queries.answer('grep (')).toThrow(/Invalid regular expression/);
  });
});

describe('a damaged snapshot', () => {
  const small = () =>
    made(
      [
        ['synthetic', '', 0],
        ['object', 'A', 10],
      ],
      [[0, 'property', 'a', 1]],
    ) as never as { snapshot: Record<string, unknown>; nodes: number[]; edges: number[]; locations: number[] };

  it.each<[string, (json: ReturnType<typeof small>) => void, RegExp]>([
    [
      'a billion nodes',
      (json) => {
        json.snapshot.node_count = 1e9;
      },
      /promises a node_count of 1000000000, and has only \d+ bytes/,
    ],
    [
      'a negative count',
      (json) => {
        json.snapshot.edge_count = -1;
      },
      /"edge_count" is no count/,
    ],
    [
      'more edges',
      (json) => {
        json.nodes[4] = 5;
      },
      /nodes have more edges than the 1/,
    ],
    [
      'an edge to nowhere',
      (json) => {
        json.edges[2] = 14;
      },
      /edge 0 leads to no node/,
    ],
    [
      'an edge between nodes',
      (json) => {
        json.edges[2] = 3;
      },
      /edge 0 leads to no node/,
    ],
    [
      'a negative edge',
      (json) => {
        json.edges[2] = -7;
      },
      /edge 0 leads to no node/,
    ],
    [
      'a type of its own',
      (json) => {
        json.nodes[0] = 99;
      },
      /node 0 is of type 99/,
    ],
    [
      'a name of its own',
      (json) => {
        json.nodes[1] = 99;
      },
      /node 0 names string 99 of/,
    ],
    [
      'a number too many',
      (json) => {
        json.nodes.push(1);
      },
      /promises 2 nodes, which is 14 numbers, but has 15/,
    ],
    [
      'a negative number',
      (json) => {
        json.nodes[3] = -5;
      },
      /node 0 has a negative number/,
    ],
    [
      'a location of nothing',
      (json) => {
        json.locations.push(70, 1, 1, 1);
      },
      /a location is of no node/,
    ],
    [
      'no meta',
      (json) => {
        json.snapshot.meta = 5;
      },
      /has no "meta"/,
    ],
  ])('with %s is told in one sentence', async (_, damage, message) => {
    const json = small();
    await expect(open(json)).resolves.toBeDefined();
    damage(json);
    await expect(open(json)).rejects.toThrow(message);
  });

  it('cut anywhere is never whole', async () => {
    const text = JSON.stringify(small());
    for (let end = 0; end < text.length; end++)
      await expect(open(text.slice(0, end))).rejects.toThrow(/the heap snapshot is (?:cut off|damaged)/);
  });

  it('nested a hundred thousand deep is refused', async () => {
    await expect(open(`{"snapshot":${'['.repeat(200_000)}`)).rejects.toThrow(/damaged/);
  });
});
