import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInject, imageFiles } from '../../scripts/inject-bundle.ts';
import { agentFolder, mountPaths, preloadFile } from '../../src/inject/paths.ts';

interface Instruction {
  readonly keyword: string;
  readonly text: string;
  readonly stage: number;
}

/** Instructions of the Dockerfile; it has no continuation lines and no heredocs. */
const instructions: Instruction[] = [];
for (const line of readFileSync('Dockerfile', 'utf8').split('\n')) {
  if (line === '' || line.startsWith('#')) continue;
  const [, keyword, text] = /^([A-Z]+) (.*)$/.exec(line)!;
  const stage = (instructions.at(-1)?.stage ?? -1) + (keyword === 'FROM' ? 1 : 0);
  instructions.push({ keyword: keyword!, text: text!, stage });
}
const last = instructions.at(-1)!.stage;
const inLast = (keyword: string) => instructions.filter((one) => one.keyword === keyword && one.stage === last);
const copies = (stage: (index: number) => boolean) =>
  instructions
    .filter((one) => one.keyword === 'COPY' && stage(one.stage))
    .map(({ text }) => {
      const words = text.split(' ').filter((word) => !word.startsWith('--'));
      return { sources: words.slice(0, -1), target: words.at(-1)! };
    });

describe('the image', () => {
  it('is built from files of the repository that .dockerignore lets through', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    const sources = copies((stage) => stage < last).flatMap((copy) => copy.sources);
    expect(sources).toContain('package-lock.json');
    for (const source of sources) {
      expect(existsSync(source), source).toBe(true);
      expect(allowed, source).toContain(`!${source}`);
    }
  });

  it('is built from them alone', { timeout: 120_000 }, async () => {
    const context = await mkdtemp(join(tmpdir(), 'nodeops-context-'));
    try {
      for (const { sources } of copies((stage) => stage < last))
        for (const source of sources) await cp(source, join(context, source), { recursive: true });
      // what `npm ci` brings
      await symlink(resolve('node_modules'), join(context, 'node_modules'));
      const runs = instructions.filter(({ keyword, text }) => keyword === 'RUN' && text !== 'npm ci');
      expect(runs.length).toBeGreaterThan(0);
      for (const { text } of runs)
        await promisify(execFile)('sh', ['-c', text], {
          cwd: context,
          env: { PATH: `${dirname(process.execPath)}:/bin` },
        });
      for (const { sources } of copies((stage) => stage === last))
        for (const source of sources)
          expect(existsSync(join(context, source.replace(/^\/build\//, ''))), source).toBe(true);
    } finally {
      await rm(context, { recursive: true, force: true });
    }
  });

  it('takes the built files to where pods look for them', () => {
    const placed = copies((stage) => stage === last).flatMap(({ sources, target }) =>
      sources.map((source) => [source, target.endsWith('/') ? target + source.split('/').at(-1) : target] as const),
    );
    expect(Object.fromEntries(placed.filter(([source]) => source.startsWith('/build/dist/')))).toEqual(
      Object.fromEntries(Object.entries(imageFiles).map(([built, target]) => [`/build/dist/${built}`, target])),
    );
    expect(`${mountPaths.agent}${imageFiles['agent/preload.cjs']}`).toBe(preloadFile);
    expect(imageFiles['agent/preload.cjs'].startsWith(`/${agentFolder}/`)).toBe(true);
  });

  it('runs nothing in its last stage, has no shell form, and a user that is a number and not root', () => {
    expect(inLast('RUN')).toEqual([]);
    expect(inLast('USER').map(({ text }) => text)).toEqual(['65532:65532']);
    for (const { text } of [...inLast('ENTRYPOINT'), ...inLast('CMD')]) expect(JSON.parse(text)).toBeInstanceOf(Array);
    expect(JSON.parse(inLast('CMD')[0]!.text)).toEqual([imageFiles['sidecar.cjs']]);
  });
});

describe('inject.cjs', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nodeops-image-'));
    await bundleInject(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is one small file that needs nothing but Node', async () => {
    const text = readFileSync(join(folder, 'inject.cjs'), 'utf8');
    expect((await stat(join(folder, 'inject.cjs'))).size).toBeLessThan(200_000);
    const required = [...text.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name);
    expect(required.length).toBeGreaterThan(0);
    expect(required.filter((name) => !name!.startsWith('node:'))).toEqual([]);
  });
});
