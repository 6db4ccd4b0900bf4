import { beforeEach, describe, expect, it } from 'vitest';
import type { HistoryReply } from '../../../src/protocol/history.ts';
import { ask, bed, eventually, fresh, listed, nodeOf, program, start, useBed, versions } from '../bed.ts';

useBed();
beforeEach(fresh);

const history = async (query = ''): Promise<HistoryReply> => {
  const reply = await ask(`history${query}`);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  return reply.body.data;
};
const patienceMs = 40_000;
const isBlock = ({ durationMs, ongoing }: HistoryReply['stalls'][number]) => durationMs > 1_150 && !ongoing;
const blocking = `
  function innermost() { const end = Date.now() + 1200; while (Date.now() < end); }
  function handleOrder() { innermost(); }
  setTimeout(handleOrder, 1500);
  setInterval(() => {}, 1000);
  console.log('up');`;

describe.each(Object.keys(versions).map(Number) as (keyof typeof versions)[])('the recorder on Node %i', (version) => {
  it('records a sample a second, and each stall with the stack that blocked', async () => {
    const app = start(program('blocking.cjs', blocking), { node: nodeOf(version) });
    await app.says('up');
    const found = await eventually(async () => {
      const reply = await history();
      if (!reply.stalls.some(isBlock)) throw new Error('no stall yet');
      if (reply.times.length < 3) throw new Error('no samples yet');
      return reply;
    }, patienceMs);
    // a busy machine may have made others
    const stall = found.stalls.find(isBlock);
    expect(stall!.frames!.map((frame) => frame.function).slice(0, 2)).toEqual(['innermost', 'handleOrder']);
    expect(found.stallCount).toBe(found.stalls.length);
    for (let index = 1; index < found.times.length; index++)
      expect(found.times[index]! - found.times[index - 1]!).toBeGreaterThan(500);
    const { series } = found;
    expect(series.heapUsedBytes.mean[0]).toBeGreaterThan(1024 * 1024);
    expect(series.rssBytes.mean[0]).toBeGreaterThan(series.heapUsedBytes.mean[0]!);
    expect(Math.max(...series.delayMaxMs.max.map(Number))).toBeGreaterThan(1_000);
    expect(Math.max(...series.utilization.max.map(Number))).toBeGreaterThan(0.5);
    expect(found.heapLimitBytes).toBeGreaterThan(100 * 1024 * 1024);
    expect(found.loopDelay.p99Ms).toBeGreaterThan(found.loopDelay.p50Ms!);
  });

  it('prints nothing and ends at once in an app that exits while it is looked at', async () => {
    const script = `const { pbkdf2Sync } = require('crypto');
      setTimeout(() => {
        const end = Date.now() + 350; while (Date.now() < end);
        if (process.argv[2]) pbkdf2Sync('a', 'b', Number(process.argv[2]), 64, 'sha512');
        process.exit(7);
      }, 300);`;
    for (const rounds of ['', '400000']) {
      const app = start(program('leaving.cjs', script), { node: nodeOf(version), args: [rounds] });
      expect(await app.ended).toEqual({ code: 7, signal: null });
      expect(app.output()).toBe('');
    }
  });
});

describe('what is recorded', () => {
  it('shows a stall that still goes on, with its stack', async () => {
    const app = start(program('endless.cjs', `setTimeout(function spin() { for (;;); }, 800); console.log('up');`));
    await app.says('up');
    const found = await eventually(async () => {
      const reply = await history();
      const last = reply.stalls.at(-1);
      if (!last?.frames || last.durationMs < 3_000) throw new Error('not long enough yet');
      return reply;
    }, patienceMs);
    expect(found.stalls.at(-1)).toMatchObject({ ongoing: true });
    expect(found.stalls.at(-1)!.frames![0]!.function).toBe('spin');
    // the main thread answers in the middle of its turn
    const last = found.times.length - 1;
    expect(found.series.heapUsedBytes.mean[last]).toBeGreaterThan(1024 * 1024);
    expect(found.series.cpuPercent.mean[last]).toBeGreaterThan(0);
    expect(found.series.utilization.mean[last]).toBe(1);
  });

  it('says what the kernel shows of a stall outside JavaScript', async () => {
    const script = `setTimeout(() => require('child_process').execSync('sleep 1.5'), 500);
      setInterval(() => {}, 1000); console.log('up');`;
    await start(program('exec.cjs', script)).says('up');
    const found = await eventually(async () => {
      const reply = await history();
      const stall = reply.stalls.find(isBlock);
      if (!stall) throw new Error('no stall yet');
      return stall;
    }, patienceMs);
    // frames where the process's memory shows them, and what the kernel shows
    const told = [found.evidence, ...(found.frames ?? []).map((frame) => frame.function)].join(' ');
    expect(told).toMatch(/execSync|spawn/);
  });

  it('is kept by a process on standby from when it is woken', async () => {
    const path = program('idle.cjs', `setInterval(() => {}, 1000); console.log('up');`);
    const first = start(path);
    await first.says('up');
    await listed([first.pid]);
    const second = start(path);
    await second.says('up');
    await listed([first.pid, second.pid]);
    const reply = await eventually(async () => {
      const found = await history(`?process=${second.pid}`);
      if (found.times.length < 2) throw new Error('too early');
      return found;
    }, patienceMs);
    expect(reply.series.heapUsedBytes.mean[0]).toBeGreaterThan(1024 * 1024);
  });

  it('is merged to as many points as were asked for', async () => {
    await start(program('idle.cjs', `setInterval(() => {}, 1000); console.log('up');`)).says('up');
    const found = await eventually(async () => {
      const reply = await history('?points=2');
      if (reply.times.length < 2) throw new Error('too early');
      return reply;
    }, patienceMs);
    expect(found.times).toHaveLength(2);
    expect(found.series.cpuPercent.max).toHaveLength(2);
  });

  it('is nothing with NODEOPS_RECORDER=off, and a value without sense is told by version', async () => {
    const path = program('idle.cjs', `setInterval(() => {}, 1000); console.log('up');`);
    await start(path, { env: { NODEOPS_RECORDER: 'off' } }).says('up');
    const reply = await eventually(() => ask('history'), patienceMs);
    expect(reply.status).toBe(501);
    expect(reply.body.error).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('NODEOPS_RECORDER is off'),
    });
    await fresh();
    await start(path, { env: { NODEOPS_STALL_MS: 'soon' } }).says('up');
    const version = await eventually(() => ask('version'), patienceMs);
    expect(version.body.notes).toEqual([expect.stringContaining("NODEOPS_STALL_MS is 'soon'")]);
    expect(bed.apps).toHaveLength(2);
  });
});
