import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FlattenMap } from '@jridgewell/trace-mapping';
import { type BuildOptions, build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCpuProfile, parseCpuProfile } from '../../src/formats/cpuprofile.ts';
import { fromCpuProfile } from '../../src/formats/from-v8.ts';
import { parseHeapProfile } from '../../src/formats/heapprofile.ts';
import { readProfile } from '../../src/formats/read.ts';
import { sourceMapDir } from '../../src/formats/source-map-dir.ts';
import { mapCallFrame, mapCpuProfile, mapHeapProfile } from '../../src/formats/source-maps.ts';
import { toPprof } from '../../src/formats/to-pprof.ts';
import { decodeDataUrl, parseSourceMap, sourceMappingUrl } from '../../src/source-maps/text.ts';
import { nodes, recordFile } from './record.ts';

/** Function, arrow, method and callback, spread over two files; minified by the test. */
const mainSource = `import { multiply, Squares } from './numbers';

declare const session: { post(method: string, parameters?: object): Promise<{ profile: unknown }> };
declare const result: (value: unknown) => void;

const burnInArrow = (rounds: number): number => {
  let sum = 0;
  for (let i = 0; i < rounds; i++) sum += Math.sqrt(multiply(i, sum)) % 7;
  return sum;
};

async function entryPoint(): Promise<void> {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
  const squares = new Squares();
  for (const { user } = process.cpuUsage(); process.cpuUsage().user - user < 300_000; ) {
    burnInArrow(2_000);
    squares.total(2_000);
  }
  result((await session.post('Profiler.stop')).profile);
}
void entryPoint();
`;
const numbersSource = `interface Unused {
  readonly nothing: string;
}

/** Kept out of line, to be seen in profiles. */
export function multiply(left: number, right: number): number {
  let product = 0;
  for (let step = 0; step < 5; step++) product += left * (right % 3) + step;
  return product;
}

export class Squares {
  total(upTo: number): number {
    const numbers = Array.from({ length: upTo }, (_, index) => index);
    return numbers.reduce((sum, value) => sum + multiply(value, value), 0);
  }
}
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-maps-'));
  await mkdir(join(directory, 'src'));
  await writeFile(join(directory, 'src/main.ts'), mainSource);
  await writeFile(join(directory, 'src/numbers.ts'), numbersSource);
  const options: BuildOptions = {
    entryPoints: [join(directory, 'src/main.ts')],
    bundle: true,
    minify: true,
    platform: 'node',
  };
  await build({ ...options, sourcemap: true, outfile: join(directory, 'dist/main.js') });
  await build({ ...options, sourcemap: 'inline', outfile: join(directory, 'inline/main.js') });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(nodes)('a minified bundle on $name', ({ path }) => {
  it('comes back with the names, files and lines that were written', async () => {
    // unoptimised: what is inlined early may never be seen by itself
    const flags = ['--no-opt', '--no-maglev'];
    const raw = parseCpuProfile(await recordFile(path, join(directory, 'dist/main.js'), flags));
    expect(raw.nodes.map((node) => node.callFrame.functionName)).not.toContain('entryPoint');
    const mapped = mapCpuProfile(raw, await sourceMapDir(join(directory, 'dist')));
    const frames = mapped.nodes.map(({ callFrame }) => callFrame);
    const find = (name: string) => frames.find(({ functionName }) => functionName === name);
    const place = (name: string, file: string, line: number) =>
      expect(find(name), name).toMatchObject({
        url: pathToFileURL(join(directory, 'src', file)).href,
        lineNumber: line - 1,
      });
    place('burnInArrow', 'main.ts', 6);
    place('entryPoint', 'main.ts', 12);
    place('multiply', 'numbers.ts', 6);
    place('total', 'numbers.ts', 13);
    expect(find('burnInArrow')!.generatedName).toMatch(/^\w$/);
    // none may be named after its parameter
    for (const name of ['rounds', 'left', 'upTo', 'index', 'value']) expect(find(name), name).toBeUndefined();

    expect(parseCpuProfile(JSON.stringify(mapped))).toEqual(mapped);
    const profile = fromCpuProfile(mapped);
    expect(profile.total(1)).toBe(fromCpuProfile(raw).total(1));
    const arrow = profile.functions.findIndex(({ name }) => name === 'burnInArrow');
    expect(profile.frameLine.filter((_, frame) => profile.frameFunction[frame] === arrow)).toContain(6);
    expect(profile.functions[arrow]!.systemName).toBe(find('burnInArrow')!.generatedName);
  });
});

describe('the source map directory', () => {
  const script = (...parts: string[]) => `file:///app/${parts.join('/')}`;

  it('finds a map by file name and path, wherever the pod has the script', async () => {
    const lookup = await sourceMapDir(directory);
    // two directories hold a main.js: the one that shares more of the path is taken, and a tie only where their maps say the same
    expect(lookup(script('dist', 'main.js'))?.sources).toHaveLength(2);
    expect(lookup('/srv/inline/main.js')?.sources).toHaveLength(2);
    expect(lookup(script('main.js'))?.sources).toHaveLength(2);
    expect(lookup(script('dist', 'other.js'))).toBeUndefined();
    expect(lookup('node:internal/timers')).toBeUndefined();
    expect(lookup('webpack://shop/dist/main.js?1a2b')?.sources).toHaveLength(2);
  });

  it('needs no script beside the map, and reads inline maps', async () => {
    const only = await mkdtemp(join(tmpdir(), 'nodeops-only-'));
    try {
      await rename(join(directory, 'dist/main.js.map'), join(only, 'main.js.map'));
      expect((await sourceMapDir(only))(script('build', 'main.js'))?.sources).toHaveLength(2);
      expect((await sourceMapDir(join(directory, 'inline')))(script('main.js'))?.sources).toHaveLength(2);
    } finally {
      await rename(join(only, 'main.js.map'), join(directory, 'dist/main.js.map'));
      await rm(only, { recursive: true });
    }
  });

  it('tells of maps it cannot use, and of limits', async () => {
    const problems: string[] = [];
    const onProblem = (error: Error) => void problems.push(error.message);
    await mkdir(join(directory, 'bad'), { recursive: true });
    await writeFile(join(directory, 'bad/broken.js.map'), '{"version":2}');
    expect((await sourceMapDir(join(directory, 'bad'), { onProblem }))(script('broken.js'))).toBeUndefined();
    expect(
      (await sourceMapDir(join(directory, 'dist'), { onProblem, limitBytes: 100 }))(script('main.js')),
    ).toBeUndefined();
    expect(problems).toEqual([
      expect.stringMatching(/source map .*broken.js cannot be read: its version is 2, not 3/),
      expect.stringMatching(/main.js is larger than 100 bytes/),
    ]);
    await expect(sourceMapDir(join(directory, 'missing'))).rejects.toMatchObject({ code: 'local-file' });
    await expect(sourceMapDir(directory, { limitFiles: 2 })).rejects.toThrow(/holds more than 2 files/);
  });
});

describe('source map text', () => {
  const map = { version: 3, sources: ['a.ts'], names: ['original'], mappings: 'AAAAA' };

  it('takes index maps and maps behind a guard line', () => {
    const index = { version: 3, sections: [{ offset: { line: 2, column: 0 }, map }] };
    const parsed = parseSourceMap(`)]}'\n${JSON.stringify(index)}`, 'file:///app/out.js');
    const frame = { functionName: 'x', scriptId: '1', url: 'file:///app/out.js', lineNumber: 2, columnNumber: 1 };
    expect(mapCallFrame(frame, () => parsed)).toMatchObject({
      functionName: 'original',
      url: 'file:///app/a.ts',
      lineNumber: 0,
    });
    expect(mapCallFrame({ ...frame, lineNumber: 0 }, () => parsed)).toEqual({ ...frame, lineNumber: 0 });
  });

  it.each([4_294_967_296, 1e308, -1, '5'])('refuses a section at line %s: all lines before would be listed', (line) => {
    const far = { version: 3, sections: [{ offset: { line, column: 0 }, map }] };
    const inside = { version: 3, sections: [{ offset: { line: 0, column: 0 }, map: far }] };
    for (const index of [far, inside])
      expect(() => parseSourceMap(JSON.stringify(index), 'file:///app/out.js')).toThrow(/a section begins at line/);
  });

  it('finds the last comment, and decodes data URLs', () => {
    const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
    expect(sourceMappingUrl(`//# sourceMappingURL=old.map\ncode()\n//# sourceMappingURL=${url}\n`)).toBe(url);
    expect(JSON.parse(decodeDataUrl(url)!)).toEqual(map);
    expect(decodeDataUrl('data:application/json,%7B%7D')).toBe('{}');
    expect([sourceMappingUrl('no()'), decodeDataUrl('main.js.map')]).toEqual([undefined, undefined]);
  });

  it('maps heap profiles as well', () => {
    const callFrame = { functionName: 'x', scriptId: '1', url: '/app/out.js', lineNumber: 0, columnNumber: 1 };
    const head = { id: 1, callFrame, selfSize: 5, children: [{ id: 2, callFrame, selfSize: 7, children: [] }] };
    const lookup = () => new FlattenMap(map as never, '/app/out.js');
    const mapped = mapHeapProfile(parseHeapProfile(JSON.stringify({ head, samples: [] })), lookup);
    expect(mapped.head.children[0]).toMatchObject({
      selfSize: 7,
      callFrame: { functionName: 'original', url: '/app/a.ts' },
    });
  });
});

describe('a source map directory with copies of a script', () => {
  const scratch = () => mkdtemp(join(tmpdir(), 'nodeops-copies-'));
  const map = (source: string) => JSON.stringify({ version: 3, sources: [source], names: [], mappings: 'AAAA' });

  it('takes the copy that has a map, and only where it is the same script', async () => {
    const dir = await scratch();
    const files = {
      'standalone/build/server/app.js': 'function a(){}\n',
      'server/app.js': 'function a(){}\n//# sourceMappingURL=app.js.map\n',
      'server/app.js.map': map('../src/index.ts'),
      'standalone/build/server/other.js': 'function b(){}\n',
      'server/other.js': 'function c(){}\n//# sourceMappingURL=other.js.map\n',
      'server/other.js.map': map('../src/other.ts'),
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), text);
    }
    const problems: string[] = [];
    const lookup = await sourceMapDir(dir, { onProblem: ({ message }) => problems.push(message) });
    expect(lookup('file:///app/build/server/app.js')?.sources).toEqual(['../src/index.ts']);
    expect(lookup('file:///app/build/server/other.js')).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining('other.js has no source map')]);
    await rm(dir, { recursive: true });
  });

  it.each(['%zz.map', 'file://host/app.js.map', 'data:application/json,%zz'])(
    'tells of the comment %s, and goes on',
    async (comment) => {
      const dir = await scratch();
      await writeFile(join(dir, 'app.js'), `function a(){}\n//# sourceMappingURL=${comment}\n`);
      const problems: string[] = [];
      const lookup = await sourceMapDir(dir, { onProblem: ({ message }) => problems.push(message) });
      expect(lookup('file:///app/app.js')).toBeUndefined();
      expect(problems.length).toBeGreaterThan(0);
      await rm(dir, { recursive: true });
    },
  );

  it('knows a comment from a string that looks like one', () => {
    const script = 'run();\n//# sourceMappingURL=app.js.map\nvar s = "//# sourceMappingURL=" + x;\n';
    expect(sourceMappingUrl(script)).toBe('app.js.map');
  });
});

describe('a profile saved as pprof', () => {
  it('is mapped later, by the columns it keeps', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'nodeops-later-'));
    // column 9 is where `a` stands in the bundle, and settle in the source
    const text = JSON.stringify({
      version: 3,
      sources: ['../src/index.ts'],
      names: ['settle'],
      mappings: 'AAAA,SAEgBA,CAAC',
    });
    await writeFile(join(dir, 'app.js'), 'function a(){}\n//# sourceMappingURL=app.js.map\n');
    await writeFile(join(dir, 'app.js.map'), text);
    const callFrame = {
      functionName: 'a',
      scriptId: '1',
      url: 'file:///app/dist/app.js',
      lineNumber: 0,
      columnNumber: 10,
    };
    const root = { functionName: '(root)', scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };
    const source = checkCpuProfile({
      nodes: [
        { id: 1, callFrame: root, hitCount: 0, children: [2] },
        { id: 2, callFrame, hitCount: 1 },
      ],
      startTime: 0,
      endTime: 1000,
      samples: [2],
      timeDeltas: [0],
    });
    const saved = await toPprof(fromCpuProfile(source));
    const [fn] = readProfile(saved, { sourceMaps: await sourceMapDir(dir) }).functions;
    expect(fn).toMatchObject({ name: 'settle', file: 'file:///app/src/index.ts', line: 3 });
    expect(readProfile(saved).functions[0]).toMatchObject({ name: 'a', file: 'file:///app/dist/app.js', line: 1 });
    await rm(dir, { recursive: true });
  });
});
