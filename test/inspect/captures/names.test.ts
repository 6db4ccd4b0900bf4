import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { App, cleanUp, versions } from '../../agent/captures/harness.ts';
import { apps } from '../harness/app.ts';

afterAll(cleanUp);

interface Profile {
  nodes: { id: number; hitCount: number; callFrame: { functionName: string }; children?: number[] }[];
  startTime: number;
  endTime: number;
  samples: number[];
  timeDeltas: number[];
  nodeops: { pausedMicros: number; clock?: { cpuMicros: number[]; micros: number[] } };
}
const program = (name: string) => readFileSync(`${apps}burning/${name}.cjs`, 'utf8');

/** A profile of an app that has run for long enough to be optimized, and each function's share of the samples at work. */
async function lateProfile(app: App, query = 'duration=1000') {
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return vi.waitFor(
    async () => {
      const { text } = await app.take('pprof-cpu', query);
      const profile = JSON.parse(text) as Profile;
      const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
      const atWork = profile.samples.map((id) => names.get(id)!).filter((name) => !/^\((?:idle|program)\)$/.test(name));
      // on a machine that stands still there may be next to none
      expect(atWork.length).toBeGreaterThan(20);
      const share = (name: string) => atWork.filter((one) => one === name).length / atWork.length;
      return { profile, share };
    },
    { timeout: 45_000, interval: 10 },
  );
}

describe.each(versions)('a profile that starts late on %s', (version) => {
  // the function that is the work of each by construction, its least share as --cpu-prof has it, and what it was inlined into
  it.each([
    ['loop', 'hot', 0.8, ''],
    ['callback', 'worth', 0.2, ''],
    ['endless', '#r', 0.8, 'price'],
    ['closures', 'spin', 0.8, 'all'],
  ])('names the inlined function of %s', async (name, hot, least, caller) => {
    const app = await App.start(version, program(name));
    const { share } = await lateProfile(app);
    expect(share(hot)).toBeGreaterThan(least);
    expect(share(caller)).toBeLessThan(0.15);
    await app.stop();
  });

  it('begins when the profiler was ready: nothing before is idle time, and the pause is told', async () => {
    const app = await App.start(version, program('endless'));
    const { profile } = await lateProfile(app);
    const { samples, timeDeltas, startTime, endTime, nodes, nodeops } = profile;
    expect(timeDeltas.length).toBe(samples.length);
    expect(timeDeltas[0]).toBeLessThan((endTime - startTime) / 10);
    expect(Math.min(...timeDeltas.slice(0, 1))).toBeGreaterThanOrEqual(0);
    expect(nodes.reduce((sum, { hitCount }) => sum + hitCount, 0)).toBe(samples.length);
    expect(nodeops.pausedMicros).toBeGreaterThan(0);
    await app.stop();
  });

  it('has the CPU the kernel counts: next to none of a thread asleep in Atomics.wait', async () => {
    const sleeper = `const cell = new Int32Array(new SharedArrayBuffer(4));
      function sleepAll() { Atomics.wait(cell, 0, 0, 150); } setInterval(sleepAll, 1);`;
    const app = await App.start(version, sleeper);
    const { profile, share } = await lateProfile(app, 'duration=1500');
    expect(share('sleepAll') + share('wait')).toBeGreaterThan(0.8);
    const { cpuMicros, micros } = profile.nodeops.clock!;
    const wall = micros.at(-1)! - micros[0]!;
    expect((cpuMicros.at(-1)! - cpuMicros[0]!) / wall).toBeLessThan(0.3);
    await app.stop();
  });
});

it.each(versions)('no profile ends coverage that the app collects itself on %s', async (version) => {
  const covered = `const { Session } = require('node:inspector'); const session = new Session(); session.connect();
    session.post('Profiler.enable'); session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    function handler() {} setInterval(handler, 5);
    process.on('SIGUSR2', () => session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      const all = result.flatMap(({ functions }) => functions);
      console.log('count', all.find(({ functionName }) => functionName === 'handler').ranges[0].count);
    }));`;
  const app = await App.start(version, covered);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await expect(app.take('pprof-cpu', 'duration=300')).rejects.toMatchObject({ code: 'refused' });
  app.child.kill('SIGUSR2');
  await app.printed(/^count \d+$/m);
  expect(Number(/count (\d+)/.exec(app.stdout.text)![1])).toBeGreaterThan(3);
  await app.stop();
});
