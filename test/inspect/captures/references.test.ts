/** What a heap is made of is told from a sample of its memory, in real processes. */
import { beforeEach, expect, it } from 'vitest';
import { countReferences, writableAreas } from '../../../src/inspect/captures/references.ts';
import { fresh, nodeOf, program, start, useBed, versions } from '../../agent/bed.ts';

useBed();
beforeEach(fresh);

const filled = (fill: string) => `globalThis.kept = ${fill}; gc(); console.log('up'); setInterval(() => {}, 1000);`;
const heaps = {
  references: `(() => { const one = {}; return new Array(2_000_000).fill(one); })()`,
  numbers: `(() => { const all = new Array(2_000_000).fill(1); return all; })()`,
  strings: `Array.from({ length: 8 }, (_, at) => (() => { const text = 'x'.repeat(1 << 21) + at; Buffer.from(text); return text; })())`,
};

it.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])(
  'Node %i: an array of references is told from numbers and strings of the same size',
  async (version) => {
    const words = async (heap: keyof typeof heaps) => {
      const path = program(`${heap}.cjs`, filled(heaps[heap]));
      const app = start(path, { node: nodeOf(version), flags: ['--expose-gc'] });
      await app.says('up');
      return (await countReferences(`/proc/${app.pid}`))!;
    };
    const [references, numbers, strings] = [await words('references'), await words('numbers'), await words('strings')];
    expect(references.largestWords).toBeGreaterThan(1_500_000);
    expect(references.words).toBeGreaterThanOrEqual(references.largestWords);
    expect(numbers.words).toBeLessThan(1_000_000);
    expect(strings.words).toBeLessThan(1_000_000);
  },
);

it('says nothing of memory it cannot read', async () => {
  expect(await countReferences('/proc/0')).toBeNull();
});

it('takes anonymous memory that may be written, and no stack', () => {
  const maps = `00400000-00401000 r-xp 00000000 08:01 123 /usr/bin/node
01000000-01021000 rw-p 00000000 00:00 0                                  [heap]
7f0000000000-7f0000040000 rw-p 00000000 00:00 0
7f0000040000-7f0000041000 ---p 00000000 00:00 0
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
`;
  expect(writableAreas(maps)).toEqual([
    { start: 0x1000000, end: 0x1021000 },
    { start: 0x7f0000000000, end: 0x7f0000040000 },
  ]);
});
