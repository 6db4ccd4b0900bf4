import { afterAll, describe, expect, it, vi } from 'vitest';
import { parsePercent } from '../../../src/inspect/effects/setgc.ts';
import { App, blockedApp, cleanUp, versions } from '../../agent/captures/harness.ts';

afterAll(cleanUp);

/** Lets the old generation grow and be thrown away, and tells on demand how many major collections that took. */
const churn = `
  // a marking thread gets as far as the machine lets it: without one the count follows from what is allocated
  require('v8').setFlagsFromString('--no-concurrent-marking');
  const { PerformanceObserver } = require('perf_hooks');
  let majors = 0;
  new PerformanceObserver((list) => { for (const { detail } of list.getEntries()) if (detail.kind === 4) majors++; }).observe({ entryTypes: ['gc'] });
  const live = [];
  function work() {
    for (let i = 0; i < 2e4; i++) {
      const x = { a: [i], s: { i } };
      if (i % 4 === 0) { live.push({ x, p: new Array(20).fill(i) }); if (live.length > 50000) live.splice(0, 25000); }
    }
  }
  async function round() {
    for (let i = 0; i < 160; i++) { work(); await new Promise((next) => setImmediate(next)); }
    await new Promise((next) => setTimeout(next, 100));
    const counted = majors; majors = 0; return counted;
  }
  require('http').createServer(async (_, response) => response.end(String(await round()))).listen(0, function () { console.log('APP ' + this.address().port); });`;

async function majors(port: number): Promise<number> {
  return Number(await (await fetch(`http://127.0.0.1:${port}`)).text());
}

describe.each(versions)('on %s', (version) => {
  it('gc frees what nothing holds, and tells how much', async () => {
    const app = await App.start(
      version,
      // keeps something, lets it go, and so on
      `let kept; setInterval(() => { kept = kept ? undefined : Array.from({ length: 3e5 }, (_, i) => ({ i })); }, 200);`,
    );
    const body = await vi.waitFor(
      async () => {
        const reply = await app.json('POST', '/effects/gc');
        expect(reply.body.data.freedBytes).toBeGreaterThan(5_000_000);
        return reply.body;
      },
      { timeout: 40_000, interval: 150 },
    );
    expect(body.data.usedBeforeBytes - body.data.usedAfterBytes).toBe(body.data.freedBytes);
    expect(body.data.pauseMs).toBeGreaterThan(0);
    await app.stop();
  });

  it('gc tells what was freed outside the heap', async () => {
    const app = await App.start(
      version,
      `const kept = []; setInterval(() => { for (let i = 0; i < 50; i++) kept.push(Buffer.alloc(1024 * 1024, 1)); kept.length = 0; }, 100).unref(); setInterval(() => {}, 1000);`,
    );
    const { data } = await vi.waitFor(
      async () => {
        const { body } = await app.json('POST', '/effects/gc');
        expect(body.data.externalBeforeBytes).toBeGreaterThan(45e6);
        return body;
      },
      { timeout: 40_000, interval: 120 },
    );
    expect(data.externalAfterBytes).toBeLessThan(data.externalBeforeBytes - 30e6);
    expect(data.rssAfterBytes).toBeGreaterThan(0);
    await app.stop();
  });

  it('setgc tells the previous value, also the one Node was started with', async () => {
    const app = await App.start(version, 'setInterval(() => {}, 1000)', { env: { NODE_OPTIONS: '' } });
    const set = async (percent: string) => (await app.json('POST', `/effects/setgc?percent=${percent}`)).body;
    expect((await set('50')).data).toMatchObject({ previous: null, current: 50 });
    expect((await set('200')).data).toMatchObject({ previous: 50, current: 200 });
    expect((await set('off')).data).toMatchObject({
      previous: 200,
      current: null,
      note: expect.stringContaining('cannot be told to stop'),
    });
    expect((await set('twelve')).error).toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining("'twelve'"),
    });
    expect(app.stderr).toBe('');
    await app.stop();
  });
});

describe.each(['node20', 'node22'] as const)('setgc on %s', (version) => {
  it('makes major collections more frequent, and off makes them rare again', async () => {
    const app = await App.start(version, churn);
    const port = Number(await app.printed(/APP (\d+)/));
    await majors(port);
    const before = await majors(port);
    await app.json('POST', '/effects/setgc?percent=10');
    const tight = await majors(port);
    await app.json('POST', '/effects/setgc?percent=off');
    await majors(port);
    const after = await majors(port);
    expect(tight).toBeGreaterThan(1.5 * Math.max(before, after));
    await app.stop();
  }, 180_000);
});

describe('percentages', () => {
  it.each(['0', 'off'])('%s gives the decision back', (text) => expect(parsePercent(text)).toBe(0));
  it.each(['1', '100', '10000'])('%s is taken', (text) => expect(parsePercent(text)).toBe(Number(text)));
  it.each(['-1', '10001', '1.5', '', '1e3', '50%'])('%j is refused', (text) =>
    expect(() => parsePercent(text)).toThrow(/whole number from 1 to 10000, or off/),
  );
});

it('gc says so when the main thread does not let go', { timeout: 60_000 }, async () => {
  const app = await App.start('node', blockedApp);
  await app.printed(/^blocked$/m);
  const { body } = await app.json('POST', '/effects/gc');
  expect(body.error).toMatchObject({ code: 'stuck', message: expect.stringContaining('event loop turns') });
  await app.stop();
});
