import { afterAll, describe, expect, it } from 'vitest';
import { fromHeapProfile } from '../../../src/formats/from-v8.ts';
import { parseHeapProfile } from '../../../src/formats/heapprofile.ts';
import { App, cleanUp, versions } from '../../agent/captures/harness.ts';

afterAll(cleanUp);

/** Some 100 KB a second on the heap, and 64 KiB of buffer forty times a second. */
const quiet = `
const views = [], rows = [];
function keepView() { views.push(Buffer.allocUnsafeSlow(64 * 1024).subarray(0, 16)); }
function keepRow() { for (let i = 0; i < 10; i++) rows.push({ i, list: new Array(20).fill(i) }); }
setInterval(() => { keepView(); keepRow(); }, 25);`;

interface Node {
  readonly callFrame: { readonly functionName: string };
  readonly children: readonly Node[];
}
const names = ({ callFrame, children }: Node): string[] => [callFrame.functionName, ...children.flatMap(names)];

describe.each(versions)('a heap profile of a quiet process on %s', (version) => {
  it('has samples, and says who made the buffers that stay', async () => {
    const app = await App.start(version, quiet);
    const { text } = await app.take('pprof-heap', 'duration=3000&external=true');
    await app.stop();
    const source = parseHeapProfile(text);
    expect(names(source.head)).toEqual(expect.arrayContaining(['keepRow', 'keepView']));
    const grown = Number(source.nodeops?.arrayBufferBytes);
    // how many times the timer ran depends on the machine
    expect(grown).toBeGreaterThanOrEqual(4 * 64 * 1024);
    const profile = fromHeapProfile(source);
    const types = profile.sampleTypes.map(({ type }) => type);
    expect(types).toEqual(['inuse_objects', 'inuse_space', 'external_space']);
    const external = new Map<string, number>();
    for (let sample = 0; sample < profile.sampleCount; sample++) {
      let at = profile.sampleStack[sample]!;
      const name = () => profile.functions[profile.frameFunction[profile.stackFrame[at]!]!]?.name ?? '';
      while (at > 0 && !name().startsWith('keep')) at = profile.stackParent[at]!;
      external.set(name(), (external.get(name()) ?? 0) + profile.values[2]![sample]!);
    }
    expect(external.get('keepView')).toBeGreaterThan(0.8 * grown);
  });
});
