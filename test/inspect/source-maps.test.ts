import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SourceMaps } from '../../src/inspect/source-maps.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nodeops-maps-'));
});
afterAll(() => rm(root, { recursive: true }));

const at = (file: string) => ({ function: 'f', file, line: 1, column: 5 });
/** Column 5 of line 1 is column 3 of line 2 of the source (by hand: VLQ of [4, 0, 1, 2]). */
const map = { version: 3, sources: ['../src/a.ts'], names: [], mappings: 'IACE' };

async function script(name: string, lastLine: string): Promise<string> {
  await writeFile(join(root, `${name}.js`), `abc def\n${lastLine}\n`);
  return `/${name}.js`;
}

test('a map beside the script, with paths of the process below its root', async () => {
  await writeFile(join(root, 'linked.js.map'), `)]}'\n${JSON.stringify(map)}`);
  const file = await script('linked', '//# sourceMappingURL=linked.js.map');
  expect(await new SourceMaps(root).original(at(file))).toEqual({
    function: 'f',
    file: '/src/a.ts',
    line: 2,
    column: 3,
    generated: { file, line: 1, column: 5 },
  });
});

test('an inline map, in base64 or not', async () => {
  const json = JSON.stringify(map);
  const base64 = `data:application/json;charset=utf-8;base64,${Buffer.from(json).toString('base64')}`;
  for (const [name, url] of [
    ['base64', base64],
    ['percent', `data:application/json,${encodeURIComponent(json)}`],
  ] as const) {
    const file = await script(name, `//# sourceMappingURL=${url}`);
    expect(await new SourceMaps(root).original(at(file))).toMatchObject({ file: '/src/a.ts', line: 2 });
  }
});

test('an index map', async () => {
  const index = { version: 3, sections: [{ offset: { line: 0, column: 0 }, map }] };
  await writeFile(join(root, 'index.js.map'), JSON.stringify(index));
  const file = await script('index', '//# sourceMappingURL=index.js.map');
  expect(await new SourceMaps(root).original(at(file))).toMatchObject({ file: '/src/a.ts', line: 2 });
});

test('a map that V8 knows goes before what is on disk', async () => {
  const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
  expect(await new SourceMaps(root).original(at('/not/on/disk.ts'), url)).toMatchObject({ line: 2, column: 3 });
});

test.each([
  ['no map is named', ''],
  ['the map is missing', '//# sourceMappingURL=missing.js.map'],
  ['the map is no JSON', '//# sourceMappingURL=broken.js'],
  ['the URL cannot be decoded', '//# sourceMappingURL=%E0%A4%A.map'],
])('the frame stays as it runs when %s', async (_, lastLine) => {
  const file = await script('broken', lastLine);
  expect(await new SourceMaps(root).original(at(file))).toEqual(at(file));
});

test('what is part of Node.js or of no file is not looked up', async () => {
  for (const file of ['node:internal/timers', '[worker eval]', '(no file)'])
    expect(await new SourceMaps(root).original(at(file))).toEqual(at(file));
});
