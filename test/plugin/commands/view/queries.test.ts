import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCpuProfile } from '../../../../src/formats/cpuprofile.ts';
import { fromCpuProfile } from '../../../../src/formats/from-v8.ts';
import type { Profile } from '../../../../src/formats/model.ts';
import { prompt } from '../../../../src/plugin/commands/view/prompt.ts';
import { Queries, queryNames } from '../../../../src/plugin/commands/view/queries.ts';
import { localSources } from '../../../../src/plugin/commands/view/source.ts';
import { words } from '../../../../src/plugin/commands/view/tool.ts';
import { testIo } from '../../captures/io.ts';
import { cpuProfile } from '../../captures/recorded.ts';

let profile: Profile;
let directory: string;
beforeAll(async () => {
  profile = fromCpuProfile(parseCpuProfile(await cpuProfile()));
  directory = await mkdtemp(join(tmpdir(), 'nodeops-queries-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('a query', () => {
  const ask = (line: string) => new Queries(profile, localSources('.')).answer(line);

  it.each([
    ['top', /flat%[\s\S]*burnCpu/],
    ['top 1', /Showing top 1 nodes/],
    ['top1 -cum', /Showing top 1 nodes/],
    ['tree', /calls%[\s\S]*burnCpu/],
    ['peek ^burn', /\| burnCpu/],
    ['list ^burnCpu', /ROUTINE =+ burnCpu in .*burn-cpu\.ts\n[\s\S]*\(flat, cum\)[\s\S]*\d+:.*Math\.sqrt/],
    ['traces', /-----------\+[\s\S]*burnCpu/],
    ['tags', /no sample has labels/],
    ['sample_index', /^ {2}0 samples \(count\)\n\* 1 wall \(nanoseconds\)\n$/],
    ['help', /sample_index NAME/],
  ])('%s', (line, answer) => {
    expect(ask(line)).toMatch(answer);
  });

  it('is about the column that was chosen', () => {
    const queries = new Queries(profile, () => undefined);
    expect(queries.answer('sample_index=samples')).toContain('* 0 samples');
    expect(queries.answer('top')).not.toContain('ms');
    expect(() => queries.answer('sample_index bytes')).toThrow('it has samples, wall');
  });

  it('that makes no sense says so', () => {
    expect(() => ask('top many')).toThrow("'many' is no number and not -cum");
    expect(() => ask('peek')).toThrow('peek takes a regular expression');
    expect(() => ask('list (')).toThrow('Invalid regular expression');
    expect(ask('frobnicate')).toBeUndefined();
  });

  it('is explained by help', () => {
    for (const name of queryNames) expect(ask('help')).toContain(`  ${name}`);
  });
});

it('the prompt asks until the end of input', async () => {
  const { io, stdin, stdout } = testIo();
  const asked = prompt(profile, { path: 'none' }, io);
  stdin.end('top 1\n\npeek (\nwhat\nsample_index samples\n');
  await asked;
  expect(stdout()).toContain('(pprof) ');
  expect(stdout()).toContain('Showing top 1 nodes');
  expect(stdout()).toContain('Invalid regular expression');
  expect(stdout()).toContain('unrecognized command: "what"');
  expect(stdout()).toContain('* 0 samples');
});

it('sources are found by the end of their path', async () => {
  await mkdir(join(directory, 'src'));
  await writeFile(join(directory, 'src/a.js'), 'here');
  await writeFile(join(directory, 'a.js'), 'elsewhere');
  const lookup = localSources(directory);
  expect(lookup('file:///app/src/a.js')).toBe('here');
  expect(lookup('/app/dist/src/a.js')).toBe('here');
  expect(lookup(join(directory, 'a.js'))).toBe('elsewhere');
  expect(lookup('/app/a.js')).toBeUndefined();
  expect(lookup('/app/../src/a.js')).toBeUndefined();
  expect(lookup('node:internal/modules/run_main')).toBeUndefined();
});

it.each([
  ['go tool pprof', ['go', 'tool', 'pprof']],
  [`"/opt/my tool" -x 'a b'`, ['/opt/my tool', '-x', 'a b']],
])('the command line %s has its words', (line, expected) => {
  expect(words(line)).toEqual(expected);
});

it.each(['', ' ', `go "tool`])('the command line %j is none', (line) => {
  expect(() => words(line)).toThrow('is no command');
});
