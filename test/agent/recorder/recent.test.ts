/** `stats` without a window: what was recorded, so that nobody waits for it. */
import { beforeEach, expect, it } from 'vitest';
import type { StatsReply } from '../../../src/protocol/replies.ts';
import { ask, eventually, fresh, listed, program, start, useBed } from '../bed.ts';

useBed();
beforeEach(fresh);

const stats = async (query = ''): Promise<StatsReply> => {
  const reply = await ask(`stats${query}`);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body.data;
};
/** Once so much was recorded that it says something. */
const recorded = () =>
  eventually(async () => {
    const reply = await stats();
    if (reply.eventLoop.windowMs < 3_000) throw new Error(`only ${reply.eventLoop.windowMs} ms`);
    return reply;
  }, 20_000);
const busy = `
  function turn() { for (const end = performance.now() + 30; performance.now() < end; ) for (let i = 0; i < 1e5; i++) Math.sqrt(i); }
  setInterval(turn, 60);
  console.log('up');`;

it('is of the last seconds, in steps of a second, and of ten at most', async () => {
  const app = start(program('busy.cjs', busy));
  await app.says('up');
  const { eventLoop, cpu } = await recorded();
  expect(eventLoop.windowMs).toBeLessThanOrEqual(10_000);
  expect(eventLoop.utilization).toBeGreaterThan(0.3);
  expect(eventLoop.utilization).toBeLessThan(1);
  expect(eventLoop.delayP99Ms).toBeGreaterThanOrEqual(eventLoop.delayP50Ms!);
  expect(eventLoop.delayMaxMs).toBeGreaterThan(10);
  expect(cpu.percent).toBeGreaterThan(0);
  // asked to watch, it watches
  expect((await stats('?window=300')).eventLoop.windowMs).toBeGreaterThanOrEqual(300);
  expect((await stats('?window=300')).eventLoop.windowMs).toBeLessThan(3_000);
  expect((await stats('?window=0')).eventLoop).toMatchObject({ windowMs: 0, utilization: null });
});

it('tells how long the turn under way takes already', async () => {
  const app = start(program('stalls.cjs', `setTimeout(() => { for (;;); }, 1500); console.log('up');`));
  await app.says('up');
  const { eventLoop, cpu } = await eventually(async () => {
    const reply = await stats();
    if (!(reply.eventLoop.delayMaxMs! > 2_000)) throw new Error('not blocked for long');
    return reply;
  }, 20_000);
  expect(eventLoop).toMatchObject({ utilization: 1, windowMs: eventLoop.delayMaxMs });
  expect(cpu.percent).toBeGreaterThan(0);
});

it('watches for a moment where nothing is recorded: without the recorder, and in a process that sleeps', async () => {
  const without = start(program('busy.cjs', busy), { env: { NODEOPS_RECORDER: 'off' } });
  await without.says('up');
  const asleep = start(program('busy.cjs', busy));
  await asleep.says('up');
  await listed([without.pid, asleep.pid]);
  for (const { pid } of [without, asleep]) {
    const { eventLoop } = await stats(`?process=${pid}`);
    expect(eventLoop.windowMs).toBeGreaterThanOrEqual(200);
    expect(eventLoop.utilization).toBeGreaterThan(0.2);
  }
});

it('agrees with a watch of the same seconds, with the history, and with the clock of the app', async () => {
  const turns = `
  const { performance } = require('node:perf_hooks');
  let from = performance.eventLoopUtilization();
  (function turn() { for (const end = performance.now() + 40; performance.now() < end; ); setTimeout(turn, 60); })();
  let asked = 0;
  process.on('SIGUSR2', () => {
    const now = performance.eventLoopUtilization();
    console.log('own' + ++asked, performance.eventLoopUtilization(now, from).utilization, '.');
    from = now;
  });
  console.log('up');`;
  const app = start(program('turns.cjs', turns));
  await app.says('up');
  await recorded();
  process.kill(app.pid, 'SIGUSR2');
  await app.says('own1');
  const watched = await stats('?window=8000');
  const [{ eventLoop }, { body }] = await Promise.all([stats(), ask('history')]);
  process.kill(app.pid, 'SIGUSR2');
  await app.says('own2');
  const own = Number(/own2 (\S+) /.exec(app.output())![1]);
  const series: { mean: (number | null)[] } = body.data.series.utilization;
  const known = series.mean.filter((value) => value !== null).slice(-8);
  const past = known.reduce((sum, value) => sum + value, 0) / known.length;
  for (const utilization of [watched.eventLoop.utilization, eventLoop.utilization, past])
    expect(Math.abs(utilization! - own), `${utilization} beside ${own}`).toBeLessThan(0.1);
});
