import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readProfile } from '../../../../src/formats/read.ts';
import { heapScript, nodes, record, recordFile } from '../../../formats/record.ts';
import { Plugin } from '../plugin.ts';

const node = nodes.find(({ name }) => name === 'node24')!.path;
/** A service before and after a change that makes one of its functions slower. */
const service = (slowness: number) => `
function price() { let sum = 0; for (let i = 0; i < ${slowness}; i++) sum += Math.sqrt(i); return sum; }
function render() { let text = ''; for (let i = 0; i < 3e5; i++) text += i; return text.length; }
async function main() {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  for (let i = 0; i < 8; i++) { price(); render(); await new Promise(setImmediate); }
  result((await session.post('Profiler.stop')).profile);
}
main();
`;

let plugin: Plugin;
let directory: string;
let before: string;
let after: string;
let heap: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-diff-test-'));
  plugin = await Plugin.build();
  const saved = async (name: string, text: string) => {
    const path = join(directory, name);
    await writeFile(path, text);
    return path;
  };
  // a profile names the file it ran from: the same for both, as in two versions of one image
  const run = async (name: string, script: string) =>
    saved(name, await recordFile(node, await saved('service.cjs', script)));
  before = await run('before.cpuprofile', service(1e6));
  after = await run('after.cpuprofile', service(3e7));
  heap = await saved('live.heapprofile', await record(node, heapScript()));
});
afterAll(async () => {
  await plugin?.close();
  await rm(directory, { recursive: true, force: true });
});

describe('diff of two files', () => {
  it('shows the function that got slower first', async () => {
    const { code, stdout, stderr } = await plugin.run(['diff', before, after, '--normalize', 'none']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.toString().split('\n');
    expect(lines[0]).toMatch(/^Base: .*before\.cpuprofile \(\d+\.\ds\)$/);
    expect(lines).toContain('Normalized by: none');
    const legend = lines.findIndex((line) => line.includes('+flat%'));
    expect(lines[legend + 1]).toMatch(/^ *\+[\d.]+[mu]?s .* price /);
  });

  it('is a document for machines', async () => {
    const { code, stdout } = await plugin.run(['diff', before, after, '-o', 'json', '--count', '3']);
    const found = JSON.parse(stdout.toString());
    expect(code).toBe(0);
    expect(found).toMatchObject({ schema: 'nodeops/v1', kind: 'Diff', unit: 'nanoseconds', normalize: 'duration' });
    expect(found.functions).toHaveLength(3);
    const nanosOf = async (path: string) => Number(readProfile(await readFile(path)).facts.durationNanos);
    expect(found.scale).toBeCloseTo((await nanosOf(after)) / (await nanosOf(before)), 5);
    expect(found.base.total).toBeGreaterThan(0);
  });

  it('--show better leaves out what got slower', async () => {
    const args = ['diff', before, after, '--normalize', 'none', '--show', 'better'];
    expect((await plugin.run(args)).stdout.toString()).not.toMatch(/ price /);
    const reverse = await plugin.run(['diff', after, before, '--normalize', 'none', '--show', 'better']);
    expect(reverse.stdout.toString()).toMatch(/ -\d.* price /);
  });

  it('--save keeps the difference as a profile: the base is negative and named as pprof names it', async () => {
    const path = join(await mkdtemp(join(directory, 'saved-')), 'delta.pb.gz');
    const { code, stderr } = await plugin.run(['diff', before, after, '--normalize', 'none', '--save', path]);
    expect(code).toBe(0);
    expect(stderr).toContain(`saved ${path}`);
    const delta = readProfile(await readFile(path));
    const [old, fresh] = await Promise.all([before, after].map(async (file) => readProfile(await readFile(file))));
    const column = 1;
    expect(delta.total(column)).toBeCloseTo(fresh!.total(column) - old!.total(column), -4);
    const base = delta.sampleLabels.map((set) => delta.labelSets[set]!.some(({ key }) => key === 'pprof::base'));
    expect(delta.values[column]!.every((value, i) => (base[i] ? value <= 0 : value >= 0))).toBe(true);
    const again = await plugin.run(['diff', before, after, '--save', path]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/exists/);
  });

  it.each([
    [
      'profiles of different kinds',
      () => [before, heap],
      2,
      /different kinds of profile: one has .*(?:cpu|wall).*inuse/,
    ],
    ['a file that is missing', () => [before, '/nowhere/x.pb.gz'], 1, /cannot read .*x\.pb\.gz: it does not exist/],
    ['one argument', () => [before], 2, /takes a base and what is compared with it/],
    ['a trace', () => [before, join(directory, 'a.trace.json')], 2, /is a trace, and profiles are compared/],
    ['garbage', () => [join(directory, 'garbage'), before], 2, /is no profile/],
  ])('refuses %s in one line', async (_, args, expected, message) => {
    await writeFile(join(directory, 'a.trace.json'), '{"traceEvents":[]}');
    await writeFile(join(directory, 'garbage'), 'hello');
    const { code, stdout, stderr } = await plugin.run(['diff', ...args()]);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
