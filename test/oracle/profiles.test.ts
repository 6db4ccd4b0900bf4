/**
 * `pprof-cpu` of a process that has run for a while against a profile from its first line on, as --cpu-prof takes it: the same functions are on
 * top. Six programs on Node 24; all of test/inspect/apps/burning with NODEOPS_ORACLE=all, on the majors in NODEOPS_ORACLE_MAJORS.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { parseCpuProfile } from '../../src/formats/cpuprofile.ts';
import { fromCpuProfile } from '../../src/formats/from-v8.ts';
import { report } from '../../src/formats/summary/report.ts';
import { openRemote } from '../../src/inspect/remote.ts';
import { App, cleanUp, type Version } from '../agent/captures/harness.ts';
import { inspectorPort } from '../bed/inspector-port.ts';
import { apps } from '../inspect/harness/app.ts';

afterAll(cleanUp);

const burning = join(apps, 'burning');
const programs =
  process.env.NODEOPS_ORACLE === 'all'
    ? readdirSync(burning).filter((name) => name.endsWith('.cjs'))
    : ['loop.cjs', 'http.cjs', 'json.cjs', 'recursive.cjs', 'class.cjs', 'regexp.cjs'];
const majors = (process.env.NODEOPS_ORACLE_MAJORS ?? '24').split(',');
const ranMs = 1_200;
const sampledMs = 1_200;
/** The top five, without those that come and go between two runs. */
const shown = 5;
const topShare = 0.06;
const foundShare = 0.025;

type Shares = ReadonlyMap<string, { readonly flat: number; readonly cum: number }>;

/** Of the program's own functions, by the wall clock. */
function sharesOf(text: string): Shares {
  const { nodes, total } = report(fromCpuProfile(parseCpuProfile(text)), { column: 1, nodeCount: 0, nodeFraction: 0 });
  const own = nodes.filter(({ name }) => name.includes('/burning/'));
  return new Map(own.map(({ name, flat, cum }) => [name, { flat: flat / total, cum: cum / total }]));
}

const top = (shares: Shares, by: 'flat' | 'cum') =>
  [...shares]
    .filter(([, share]) => share[by] >= topShare)
    .sort(([, a], [, b]) => b[by] - a[by])
    .slice(0, shown)
    .map(([name]) => name);

/**
 * A profile from the start is not always right about what was inlined: of `http.cjs` it counts 65 % to `route`, where the program's own clock finds
 * 64 % in `checksum` and 15 % in `render`. With nothing inlined the names are right, but a small function costs its calls as well.
 * What both say is sure.
 */
const nothingInlined = ['--no-turbo-inlining', '--no-maglev-inlining'];

/**
 * Functions on top of every oracle that ours lacks, and those on top of ours that no oracle knows. A loop of arithmetic alone has no position of its own in
 * optimized code, and one run counts it to the function it was inlined into where the next does not: by flat, a function known by cum is known.
 */
function differences(ours: Shares, oracles: readonly Shares[]): string[] {
  const found = (shares: Shares, name: string, by: 'flat' | 'cum') => (shares.get(name)?.[by] ?? 0) > foundShare;
  return (['flat', 'cum'] as const).flatMap((by) => {
    const sure = top(oracles[0] as Shares, by).filter((name) => oracles.every((oracle) => found(oracle, name, by)));
    const missing = sure.filter((name) => !found(ours, name, by));
    const unknown = top(ours, by).filter((name) => !oracles.some((oracle) => found(oracle, name, 'cum')));
    return [
      ...missing.map((name) => `${name} is missing by ${by}`),
      ...unknown.map((name) => `${name} is too much by ${by}`),
    ];
  });
}

/** A profile from the first line on. */
async function fromTheStart(node: string, file: string, flags: readonly string[] = []): Promise<string> {
  const child = spawn(node, ['--inspect-brk=127.0.0.1:0', ...flags, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    const port = await inspectorPort(child.stderr);
    const inspector = await openRemote({ host: '127.0.0.1', port });
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.start');
    await inspector.post('Runtime.runIfWaitingForDebugger');
    await sleep(ranMs + sampledMs);
    const { profile } = await inspector.post<{ profile: object }>('Profiler.stop', {}, { timeoutMs: 30_000 });
    await inspector.close();
    return JSON.stringify(profile);
  } finally {
    child.kill('SIGKILL');
  }
}

async function late(version: Version, file: string): Promise<string> {
  const app = await App.start(version, `require(${JSON.stringify(file)});`);
  await sleep(ranMs);
  const { text } = await app.take('pprof-cpu', `duration=${sampledMs}`);
  await app.stop();
  return text;
}

describe.each(majors)('on Node %s', (major) => {
  const version = (major === '24' ? 'node' : `node${major}`) as Version;
  test.each(programs)('%s has the same functions on top, by flat and by cum', async (program) => {
    const file = join(burning, program);
    const node = resolve(`node_modules/${version}/bin/node`);
    const oracle = sharesOf(await fromTheStart(node, file));
    const ours = sharesOf(await late(version, file));
    expect(oracle.size, basename(file)).toBeGreaterThan(0);
    if (differences(ours, [oracle]).length === 0) return;
    const uninlined = sharesOf(await fromTheStart(node, file, nothingInlined));
    expect(differences(ours, [oracle, uninlined])).toEqual([]);
  });
});
