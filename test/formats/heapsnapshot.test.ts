import { describe, expect, it } from 'vitest';
import { SnapshotReader, type SnapshotSummary } from '../../src/formats/heapsnapshot.ts';
import { nodes, record } from './record.ts';

const script = `
class LeakedSession { constructor(i) { this.id = i; this.next = { i }; } }
globalThis.leaked = Array.from({ length: 5000 }, (_, i) => new LeakedSession(i));
globalThis.text = 'quote " backslash \\\\ newline \\n umlaut ü ' + process.pid;
async function main() {
  let text = '';
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => { text += params.chunk; });
  await session.post('HeapProfiler.takeHeapSnapshot');
  result(text);
}
main();
`;

function read(bytes: Uint8Array, chunkBytes = 65_536): SnapshotSummary {
  const reader = new SnapshotReader();
  for (let at = 0; at < bytes.length; at += chunkBytes) reader.write(bytes.subarray(at, at + chunkBytes));
  return reader.end();
}

describe.each(nodes)('a heap snapshot of $name', ({ path }) => {
  it('is summed up as loading it would, in chunks of any size', async () => {
    const text = JSON.parse(await record(path, script)) as string;
    const bytes = Buffer.from(text);
    const { snapshot, nodes, strings } = JSON.parse(text);
    const { node_fields: fields, node_types: types } = snapshot.meta;
    const summary = read(bytes);
    let selfBytes = 0;
    let leaked = { count: 0, selfBytes: 0 };
    for (let at = 0; at < nodes.length; at += fields.length) {
      const size = nodes[at + fields.indexOf('self_size')];
      selfBytes += size;
      const isObject = types[0][nodes[at]] === 'object';
      if (isObject && strings[nodes[at + fields.indexOf('name')]] === 'LeakedSession')
        leaked = { count: leaked.count + 1, selfBytes: leaked.selfBytes + size };
    }
    expect(summary).toMatchObject({ nodes: snapshot.node_count, edges: snapshot.edge_count, strings: strings.length });
    expect(summary.selfBytes).toBe(selfBytes);
    expect(summary.byType.reduce((sum, share) => sum + share.selfBytes, 0)).toBe(selfBytes);
    expect(leaked.count).toBeGreaterThanOrEqual(5000);
    expect(summary.byConstructor).toContainEqual({ name: 'LeakedSession', ...leaked });
    expect(read(bytes, 777)).toEqual(summary);

    // cut anywhere, it is never whole
    for (let i = 1; i < 40; i++)
      expect(() => read(bytes.subarray(0, Math.floor((bytes.length * i) / 40)))).toThrow(/cut off|damaged/);
    expect(() => read(bytes.subarray(0, text.trimEnd().length - 1))).toThrow(/cut off/);
  });
});

const small = {
  snapshot: {
    meta: {
      node_fields: ['type', 'name', 'id', 'self_size'],
      node_types: [['hidden', 'object'], 'string', 'number', 'number'],
      edge_fields: ['type', 'name_or_index', 'to_node'],
    },
    node_count: 3,
    edge_count: 1,
  },
  nodes: [0, 0, 1, 10, 1, 1, 3, 24, 1, 2, 5, 40],
  edges: [1, 0, 4],
  trace_tree: [0, 0, ['}]"']],
  samples: [],
  locations: [4, 1, 2, 3],
  strings: ['', 'A "quoted" é', 'Ünicode\\'],
};

describe('a small snapshot', () => {
  const text = JSON.stringify(small);

  it('is read byte by byte', () => {
    expect(read(Buffer.from(text), 1)).toEqual({
      nodes: 3,
      edges: 1,
      strings: 3,
      selfBytes: 74,
      byType: [
        { name: 'object', count: 2, selfBytes: 64 },
        { name: 'hidden', count: 1, selfBytes: 10 },
      ],
      byConstructor: [
        { name: 'Ünicode\\', count: 1, selfBytes: 40 },
        { name: 'A "quoted" é', count: 1, selfBytes: 24 },
      ],
    });
    expect(read(Buffer.from(JSON.stringify(small, null, 2)))).toEqual(read(Buffer.from(text)));
  });

  it('is refused wherever it is cut off', () => {
    for (let length = 0; length < text.length; length++)
      expect(() => read(Buffer.from(text.slice(0, length))), `at ${length}`).toThrow(/cut off after/);
  });

  it.each([
    ['a node too few', text.replace('"node_count":3', '"node_count":4'), /promises 4 nodes.*has 12 of them/],
    ['an edge too few', text.replace('[1,0,4]', '[]'), /promises 1 edges.*has 0/],
    ['no strings', text.replace(/,"strings".*/, '}'), /no "strings" part/],
    ['a name that is not there', text.replace('"A \\"quoted\\" é",', ''), /names string 2 of 2/],
    ['a missing comma', text.replace('[1,0,4]', '[1,0 4]'), /damaged at byte \d+, in "edges"/],
    ['a comma too many', text.replace('[1,0,4]', '[1,0,,4]'), /damaged at byte/],
    ['text among numbers', text.replace('[1,0,4]', '[1,"0",4]'), /damaged at byte/],
    ['brackets that do not match', text.replace('[4,1,2,3]', '[4,1,2,3}'), /damaged at byte/],
    ['a mixed-up tree', text.replace(']],"samples"', '}],"samples"'), /damaged at byte/],
    ['a key of several lines', text.replace('"samples"', '"sam\nples" 1'), /^[^\n]*damaged at byte [^\n]*$/],
    ['something after its end', `${text}{`, /damaged at byte/],
    ['something else', '<html>', /damaged at byte 0/],
    ['a broken header', text.replace('"node_fields"', '"fields"'), /"snapshot" part cannot be read/],
  ])('%s is told', (_, damaged, message) => {
    expect(() => read(Buffer.from(damaged))).toThrow(message);
  });

  it('tells no more constructors apart than allowed', () => {
    const reader = new SnapshotReader({ limitConstructors: 1 });
    reader.write(Buffer.from(text));
    expect(reader.end().byConstructor).toEqual([
      { name: 'A "quoted" é', count: 1, selfBytes: 24 },
      { name: '(others)', count: 1, selfBytes: 40 },
    ]);
  });
});
