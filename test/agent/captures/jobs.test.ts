import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { JobInfo } from '../../../src/protocol/captures.ts';
import { App, busyApp, cleanUp, temporaryDirectory } from './harness.ts';

afterAll(cleanUp);
const patiently = { timeout: 40_000 };

/** What captures yield differs by version and is tested in test/inspect/captures; how their jobs live does not. */
const version = 'node';

describe('a capture', () => {
  it('can be ended early, and keeps what there is', async () => {
    const app = await App.start(version, busyApp);
    for (const capture of ['pprof-cpu', 'pprof-heap', 'trace'] as const) {
      const { id } = await app.capture(capture, 'duration=600000');
      const running = await app.until(id, ({ remainingMs }) => remainingMs !== null);
      expect(running).toMatchObject({ state: 'running', sha256: null, path: null });
      expect(running.remainingMs).toBeGreaterThan(500_000);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect((await app.json('POST', `/v1/jobs/${id}/stop`)).status).toBe(200);
      expect(await app.ended(id)).toMatchObject({ state: 'finished', stoppedEarly: true, resumable: true });
      expect(JSON.parse((await app.request('GET', `/v1/jobs/${id}/artifact`)).body.toString())).toBeTypeOf('object');
    }
    await app.stop();
  });

  it('that is abandoned leaves nothing: no file, and no profiler in the app', async () => {
    const app = await App.start(version, busyApp);
    for (const capture of ['pprof-cpu', 'pprof-heap', 'trace'] as const) {
      const { id } = await app.capture(capture, 'duration=600000');
      await app.until(id, ({ phase }) => /sampling|recording/.test(phase));
      const unfinished = () => app.files().filter((name) => name.endsWith('.part')).length;
      expect(unfinished()).toBe(1);
      const { body } = await app.json('DELETE', `/v1/jobs/${id}`);
      expect(body.data.state).toBe('abandoned');
      expect(unfinished()).toBe(0);
      expect((await app.request('GET', `/v1/jobs/${id}/artifact`)).status).toBe(404);
      expect((await app.take(capture, 'duration=300')).info.state).toBe('finished');
    }
    const { id } = await app.capture('heapsnapshot', 'force=true');
    await app.json('DELETE', `/v1/jobs/${id}`);
    let second: JobInfo | undefined;
    // V8 cannot be stopped in the middle of one: the next is told to wait meanwhile
    while (!second) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      second = await app.capture('heapsnapshot', 'force=true').catch(() => undefined);
    }
    expect((await app.ended(second.id)).state).toBe('finished');
    expect(app.stderr).toBe('');
    await app.stop();
  });
});

describe('captures', () => {
  it('run one at a time on a process; another is told which, and for how long', async () => {
    const app = await App.start('node', busyApp);
    const { id } = await app.capture('pprof-cpu', 'duration=60000');
    await app.until(id, ({ remainingMs }) => remainingMs !== null);
    await expect(app.capture('trace')).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringMatching(new RegExp(`pprof-cpu ${id} runs, for \\d+ s more`)),
      detail: { id, capture: 'pprof-cpu', remainingMs: expect.any(Number) },
    });
    expect((await app.take('report')).info.state).toBe('finished');
    await app.stop();
  });

  it('of which half is nothing refuse to be ended early', async () => {
    const app = await App.start(
      'node',
      `globalThis.kept = Array.from({ length: 5e5 }, (_, i) => ({ i })); setInterval(() => {}, 1000)`,
    );
    const { id } = await app.capture('heapsnapshot', 'force=true');
    const { body } = await app.json('POST', `/v1/jobs/${id}/stop`);
    expect(body.error).toMatchObject({ code: 'refused', hint: expect.stringContaining('abandon') });
    const seen: JobInfo[] = [];
    const last = await app.until(id, (info) => {
      seen.push(info);
      return info.state !== 'running';
    });
    expect(last).toMatchObject({ state: 'finished', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(seen.some(({ phase, progress }) => /looking at \d+ objects/.test(phase) && progress! > 0)).toBe(true);
    await app.stop();
  });

  it('whose client vanished are stopped and removed', async () => {
    const app = await App.start('node', busyApp, { times: { jobAbandonedMs: 1_500 } });
    const vanished = await app.capture('pprof-cpu', 'duration=60000');
    await expect.poll(() => app.files(), patiently).toEqual([]);
    expect((await app.json('GET', `/v1/jobs/${vanished.id}`)).body.error?.code ?? 'no-such-job').toBe('no-such-job');
    // it is not in the way of the next
    expect(await app.capture('pprof-cpu', 'duration=200')).toMatchObject({ capture: 'pprof-cpu' });
    await app.stop();
  });

  it('that are finished expire', async () => {
    const app = await App.start('node', busyApp, { times: { jobKeptMs: 1_500 } });
    const { id } = await app.capture('pprof-cpu', 'duration=200');
    expect(app.files()).toHaveLength(1);
    await app.until(id, ({ state }) => state !== 'running');
    await expect.poll(() => app.files(), patiently).toEqual([]);
    await app.stop();
  });

  it('that are watched are not taken for left alone, and report about once a second', async () => {
    const app = await App.start('node', busyApp, { times: { jobAbandonedMs: 3_000 } });
    const { id } = await app.capture('pprof-cpu', 'duration=6000');
    const { body, headers } = await app.request('GET', `/v1/jobs/${id}/progress`);
    const lines = body
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JobInfo);
    expect(headers['content-type']).toBe('application/x-ndjson');
    // fewer where the machine stands still
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.at(-1)!.state).toBe('finished');
    await app.stop();
  });

  it('leave no file when the agent ends', async () => {
    const app = await App.start('node', busyApp);
    await app.take('report');
    await app.capture('pprof-cpu', 'duration=60000');
    expect(app.files()).toHaveLength(2);
    await app.json('POST', '/close');
    expect(app.files()).toEqual([]);
    await app.stop();
  });

  it('fail when the store is full, and the app lives on', async () => {
    const app = await App.start('node22', busyApp, { limitBytes: 1_000_000 });
    await expect(app.take('heapsnapshot', 'force=true')).rejects.toMatchObject({ code: 'no-space' });
    expect(app.files()).toEqual([]);
    expect((await app.take('pprof-cpu', 'duration=200')).info.state).toBe('finished');
    await app.stop();
  });

  it('are kept in memory where no directory can be written, and say so', async () => {
    const directory = temporaryDirectory();
    // root writes wherever it likes, so a name too long stands for a read-only file system
    const readOnly = process.getuid!() === 0 ? join(directory, 'n'.repeat(300)) : directory;
    chmodSync(directory, 0o500);
    const app = await App.start('node', busyApp, { artifacts: readOnly });
    const { info, text } = await app.take('pprof-cpu', 'duration=300');
    expect(info).toMatchObject({ path: null, resumable: true });
    expect(info.notes.join()).toMatch(/kept in memory only/);
    expect(JSON.parse(text).nodes.length).toBeGreaterThan(1);
    await app.stop();
  });
});

describe('requests', () => {
  it('that make no sense get one clear error', async () => {
    const app = await App.start('node', busyApp);
    const error = async (method: string, path: string) => (await app.json(method, path)).body.error;
    expect(await error('GET', '/v1/pprof-cpu')).toMatchObject({ code: 'bad-request' });
    expect(await error('POST', '/v1/pprof-cpu?duration=1')).toMatchObject({
      message: expect.stringContaining('100 to 3600000'),
    });
    expect(await error('POST', '/v1/pprof-cpu?what=1')).toMatchObject({ message: "unknown parameter 'what'" });
    expect(await error('GET', '/v1/jobs/nosuch')).toMatchObject({ code: 'no-such-job' });
    expect(await error('GET', '/v1/jobs/nosuch/what')).toMatchObject({ code: 'no-such-operation' });
    expect(await app.capture('report', 'process=4711').then(({ id }) => id)).toMatch(/^[\w-]{22}$/);
    expect((await app.request('GET', '/v1/stats')).status).toBe(404);
    await app.stop();
  });

  it('that change something are refused by an agent that is read-only', async () => {
    const app = await App.start('node', busyApp, { readOnly: true });
    await expect(app.capture('report')).rejects.toMatchObject({ code: 'not-permitted' });
    await app.stop();
  });
});
