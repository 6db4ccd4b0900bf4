import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
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

test('a map beside the script that names none', async () => {
  await writeFile(join(root, 'beside.js.map'), JSON.stringify(map));
  expect(await new SourceMaps(root).original(at(await script('beside', '')))).toMatchObject({
    file: '/src/a.ts',
    line: 2,
  });
});

test('a string after the comment that looks like one hides nothing', async () => {
  await writeFile(join(root, 'hidden.js.map'), JSON.stringify(map));
  const file = await script('hidden', '//# sourceMappingURL=hidden.js.map\nvar s = "//# sourceMappingURL=" + s;');
  expect(await new SourceMaps(root).original(at(file))).toMatchObject({ file: '/src/a.ts', line: 2 });
});

test('names of a minified bundle are those of the source, also where they are called themselves', async () => {
  const source = `export class Engine {
    #secret(order: { id: number }): number { let sum = 0; for (let i = 0; i < 9; i++) sum += Math.sqrt(order.id); return sum; }
    price(order: { id: number }): number { return this.#secret(order) * 2; }
  }
  export const settleOrder = (depth: number): number => (depth > 0 ? settleOrder(depth - 1) : new Engine().price({ id: depth }));
  export function computeTax(n: number): number { return [n].map((item) => settleOrder(item))[0]!; }
  console.log(computeTax(3));`;
  await writeFile(join(root, 'tax.ts'), source);
  const outfile = join(root, 'bundle.js');
  await build({
    entryPoints: [join(root, 'tax.ts')],
    outfile,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'cjs',
  });
  const code = await readFile(outfile, 'utf8');
  const named = async (generated: RegExp, inside: string) => {
    const [, name] = generated.exec(code)!;
    const column = code.indexOf(inside) + 1;
    const frame = { function: name!, file: '/bundle.js', line: 1, column };
    return (await new SourceMaps(root).original(frame)).function;
  };
  expect(await named(/(#\w)\(\w\)\{let/, 'Math.sqrt')).toBe('#secret');
  expect(await named(/(\w)=\w=>\w>0/, 'price({')).toBe('settleOrder');
  expect(await named(/function (\w)\(\w\)\{return\[/, '.map(')).toBe('computeTax');
});
