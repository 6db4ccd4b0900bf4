import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import * as zlib from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { JobInfo } from '../../../src/protocol/captures.ts';
import { App, cleanUp, temporaryDirectory, type Version } from '../captures/harness.ts';

afterAll(cleanUp);

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
/** Some MB of snapshot. */
const someHeap = `globalThis.kept = Array.from({ length: 1e4 }, (_, i) => ({ i, b: {} })); setInterval(() => {}, 1000);`;
/** Well over 100 MB of it, in strings as long as a snapshot shows them: objects would take V8 ten times as long. */
const largeHeap = `
  const text = (i) => (require('crypto').randomBytes(50).toString('hex') + ' of order ' + i).padEnd(1000, ' and some more of it');
  globalThis.kept = Array.from({ length: 1.2e5 }, (_, i) => Buffer.from(text(i)).toString('latin1'));
  setInterval(() => {}, 1000);`;

/** Reads on from `from` until `cut` bytes came over the wire; returns what they were before they were encoded. */
function part(app: App, id: string, from: number, cut: number, accept: string): Promise<Buffer> {
  return new Promise((found) => {
    const headers = { range: `bytes=${from}-`, 'accept-encoding': accept };
    const request = app.open('GET', `/v1/jobs/${id}/artifact`, headers, (response) => {
      const decoder = decoderOf(response.headers['content-encoding']);
      const parts: Buffer[] = [];
      decoder.on('data', (bytes: Buffer) => parts.push(bytes));
      decoder.on('error', () => {});
      let received = 0;
      const done = () => setTimeout(() => found(Buffer.concat(parts)), 50);
      response.on('data', (bytes: Buffer) => {
        received += bytes.length;
        decoder.write(bytes);
        if (received < cut) return;
        response.destroy();
        done();
      });
      response.on('end', () => decoder.end(done));
      response.on('error', () => {});
    });
    request.on('error', () => {});
  });
}

function decoderOf(encoding: string | undefined) {
  if (encoding === 'zstd') return zlib.createZstdDecompress();
  if (encoding === 'gzip') return zlib.createGunzip();
  return new PassThrough();
}

describe.each([
  ['node20', 'gzip'],
  ['node22', 'zstd'],
  ['node', 'identity'],
  ['node26', 'zstd'],
] as const)('an artifact from %s as %s', (version: Version, encoding) => {
  it('has the same sha256 however often the transfer is cut', async () => {
    const app = await App.start(version, someHeap);
    const { id } = await app.capture('heapsnapshot', 'force=true');
    const { sha256: expected, bytes } = await app.ended(id);
    const parts: Buffer[] = [];
    let from = 0;
    let requests = 0;
    while (from < bytes) {
      const got = await part(app, id, from, 50_000 + Math.floor(Math.random() * 200_000), encoding);
      parts.push(got);
      from += got.length;
      requests++;
    }
    expect(requests).toBeGreaterThan(1);
    expect(sha256(Buffer.concat(parts))).toBe(expected);
    await app.stop();
  });
});

describe('ranges', () => {
  it('are answered as HTTP says', async () => {
    const app = await App.start('node', someHeap);
    const { id, ...info } = (await app.take('report')).info;
    const get = (headers: Record<string, string>) => app.request('GET', `/v1/jobs/${id}/artifact`, headers);
    const whole = await get({});
    expect(whole).toMatchObject({
      status: 200,
      headers: { 'content-length': String(info.bytes), etag: `"${info.sha256}"` },
    });
    const middle = await get({ range: 'bytes=10-19' });
    expect(middle).toMatchObject({ status: 206, headers: { 'content-range': `bytes 10-19/${info.bytes}` } });
    expect(middle.body).toEqual(whole.body.subarray(10, 20));
    expect(await get({ range: `bytes=${info.bytes}-` })).toMatchObject({
      status: 416,
      headers: { 'content-range': `bytes */${info.bytes}` },
    });
    expect((await get({ range: 'bytes=1-2,4-5' })).status).toBe(400);
    expect((await get({ range: 'bytes=10-19', 'if-range': `"${info.sha256}"` })).status).toBe(206);
    expect(await get({ range: 'bytes=10-19', 'if-range': '"other"' })).toMatchObject({ status: 200, body: whole.body });
    const zipped = await get({ range: 'bytes=100-', 'accept-encoding': 'gzip' });
    expect(zlib.gunzipSync(zipped.body)).toEqual(whole.body.subarray(100));
    await app.stop();
  });

  it('of a capture that runs follow it to its end', async () => {
    const app = await App.start('node', someHeap);
    const { id } = await app.capture('trace', 'duration=1500');
    const { status, body } = await app.request('GET', `/v1/jobs/${id}/artifact`);
    expect(status).toBe(200);
    const { sha256: expected, state } = await app.info(id);
    expect(state).toBe('finished');
    expect(sha256(body)).toBe(expected);
    await app.stop();
  });

  it('of a capture that is abandoned are cut, not ended', async () => {
    const app = await App.start('node', someHeap);
    const { id } = await app.capture('trace', 'duration=60000');
    const response = await new Promise<IncomingMessage>((found, failed) => {
      app.open('GET', `/v1/jobs/${id}/artifact`, {}, found).on('error', failed);
    });
    const fetched = response.toArray();
    await app.json('DELETE', `/v1/jobs/${id}`);
    await expect(fetched).rejects.toThrow(/aborted|hang up|reset/);
    await app.stop();
  });
});

describe('a slow client', () => {
  const unwritable = () => join(temporaryDirectory(), 'n'.repeat(300));

  it.each(['on disk', 'in memory'])(
    'of a snapshot over 100 MB that is kept %s does not make the agent grow',
    { timeout: 120_000 },
    async (where) => {
      const app = await App.start('node', largeHeap, where === 'in memory' ? { artifacts: unwritable() } : {});
      const { id } = await app.capture('heapsnapshot', 'force=true');
      const info: JobInfo = await app.ended(id);
      expect(info.error).toBeNull();
      expect(info.bytes).toBeGreaterThan(100_000_000);
      expect(info.path === null).toBe(where === 'in memory');
      const rss = async () => JSON.parse((await app.request('GET', '/memory')).body.toString()) as NodeJS.MemoryUsage;
      const before = await rss();
      const hash = createHash('sha256');
      let peak = 0;
      await new Promise<void>((done, failed) => {
        app
          .open('GET', `/v1/jobs/${id}/artifact`, {}, async (response) => {
            let received = 0;
            for await (const bytes of response) {
              hash.update(bytes);
              const mark = Math.floor(received / 20e6);
              received += bytes.length;
              if (Math.floor(received / 20e6) === mark) continue;
              await sleep(200);
              const { external, heapUsed } = await rss();
              peak = Math.max(peak, external + heapUsed - before.external - before.heapUsed);
            }
            done();
          })
          .on('error', failed);
      });
      expect(hash.digest('hex')).toBe(info.sha256);
      // unpacked pieces wait to be collected; of a file one buffer is used throughout
      expect(peak).toBeLessThan(where === 'in memory' ? 80_000_000 : 24_000_000);
      await app.stop();
    },
  );

  it('holds a profile back that is larger than the window', async () => {
    const app = await App.start('node', `setInterval(() => { for (let i = 0; i < 1e6; i++) Math.sqrt(i); }, 10)`, {
      artifacts: unwritable(),
      memory: { windowBytes: 2_000 },
    });
    const { id } = await app.capture('pprof-cpu', 'duration=2000&interval=100');
    await app.until(id, ({ bytes }) => bytes > 0);
    await sleep(300);
    expect(await app.info(id)).toMatchObject({ state: 'running', phase: 'fetching the profile' });
    const { body } = await app.request('GET', `/v1/jobs/${id}/artifact`);
    const ended = await app.ended(id);
    expect(ended).toMatchObject({ state: 'finished', path: null });
    expect(sha256(body)).toBe(ended.sha256);
    await app.stop();
  });
});
