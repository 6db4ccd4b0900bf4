import { describe, expect, it } from 'vitest';
import { diffHeaps, type HeapChanges } from '../../../src/formats/heap/diff.ts';
import { changesText } from '../../../src/formats/heap/diff-text.ts';
import { openHeap } from '../../../src/formats/heap/heap.ts';
import { bytesSource } from '../../../src/formats/heap/source.ts';
import { nodes, record } from '../record.ts';
import { leaks } from './leaking.ts';

/** Two snapshots, 60 rounds apart; between them the inspector session is another, unless `same`. */
async function changes(node: string, script: string, same = false): Promise<HeapChanges> {
  const text = await record(
    node,
    `${script}
const { Session } = require('node:inspector/promises');
async function snapshot() {
  let text = '';
  const own = ${same} ? session : new Session();
  if (own !== session) own.connect();
  const take = ({ params }) => { text += params.chunk; };
  own.on('HeapProfiler.addHeapSnapshotChunk', take);
  await own.post('HeapProfiler.takeHeapSnapshot');
  own.off('HeapProfiler.addHeapSnapshotChunk', take);
  if (own !== session) { await own.post('HeapProfiler.disable'); own.disconnect(); }
  return Buffer.from(text);
}
async function main() {
  for (let i = 0; i < 60; i++) { leak(); caches(); }
  const before = await snapshot();
  for (let i = 0; i < 60; i++) { leak(); caches(); }
  result([before, await snapshot()].map((one) => one.toString('latin1')));
  setTimeout(() => process.exit(), 100);
}
main();`,
  );
  const heaps = await Promise.all(
    (JSON.parse(text) as string[]).map((one) => openHeap(bytesSource(Buffer.from(one, 'latin1')))),
  );
  return diffHeaps(heaps[0]!, heaps[1]!);
}

describe('the difference of two snapshots', () => {
  it.each(leaks)('names what keeps $name', async ({ script, path }) => {
    const found = await changes(nodes[2]!.path, script);
    const said = [...found.paths.slice(0, 3), ...found.classes.slice(0, 6)].map((one) => one.path);
    expect(said.join('\n')).toMatch(path);
    expect(found.afterBytes).toBeGreaterThan(found.beforeBytes);
    expect(changesText(found)).toContain('What keeps more than before');
  });

  it.each(nodes)('of $name tells what came from what stayed where V8 kept its numbers of objects', async ({ path }) => {
    const script = `
class Entry { constructor(i) { this.i = i; } }
const kept = globalThis.kept = [];
function leak() { for (let i = 0; i < 10; i++) kept.push(new Entry(i)); }
function caches() {}`;
    const entries = ({ classes }: HeapChanges) => classes.find(({ name }) => name === 'Entry');
    const counts = { came: 600, went: 0, stayed: 600 };
    const told = await changes(path, script, true);
    expect(told.matched).toBe('objects');
    expect(entries(told)).toMatchObject({ ...counts, path: 'global.kept → […] → Entry' });
    const counted = await changes(path, script);
    expect(counted.matched).toBe('classes');
    expect(entries(counted)).toMatchObject(counts);
  });
});
