import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { withCapture } from '../../../src/agent/gops/capture.ts';
import { OwnPort, readAll } from '../../../src/agent/gops/own-port.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that answers as docs of src/protocol/captures.ts say, one state after the other. */
async function agent(states: readonly object[]) {
  const requests: string[] = [];
  let polled = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const json = (data: object, status = 200) => response.writeHead(status).end(JSON.stringify({ data }));
    if (request.headers['x-nodeops'] !== '1') return void json({}, 400);
    if (request.method === 'DELETE') return void json({ id: 'j', state: 'abandoned' });
    if (request.url!.endsWith('/artifact')) return void response.end('the artifact');
    if (request.method === 'POST') return void json({ id: 'j', state: 'running' }, 201);
    json({ id: 'j', ...states[Math.min(polled++, states.length - 1)] });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closing.push(() => server.close());
  return { own: new OwnPort((server.address() as AddressInfo).port), requests };
}
const text = async (artifact: AsyncIterable<Buffer>) => String(await readAll(artifact));
const running = { state: 'running', resumable: true, bytes: 0, error: null };

describe('a capture for gops', () => {
  it('is started, waited for, fetched and removed', async () => {
    const { own, requests } = await agent([running, { ...running, state: 'finished', bytes: 12 }]);
    expect(await withCapture(own, 'pprof-cpu', 30_000, text)).toBe('the artifact');
    expect(requests).toEqual([
      'POST /v1/pprof-cpu?duration=30000',
      'GET /v1/jobs/j',
      'GET /v1/jobs/j',
      'GET /v1/jobs/j/artifact',
      'DELETE /v1/jobs/j',
    ]);
  });

  it('that is kept nowhere is fetched while it runs', async () => {
    const { own, requests } = await agent([{ ...running, resumable: false, bytes: 5 }]);
    expect(await withCapture(own, 'trace', 5_000, text)).toBe('the artifact');
    expect(requests).toContain('GET /v1/jobs/j/artifact');
  });

  it('that fails says why, and is removed', async () => {
    const error = { code: 'no-space', message: 'no space is left' };
    const { own, requests } = await agent([{ ...running, state: 'failed', error }]);
    await expect(withCapture(own, 'trace', 5_000, text)).rejects.toMatchObject(error);
    expect(requests.at(-1)).toBe('DELETE /v1/jobs/j');
  });

  it('whose reader fails is removed', async () => {
    const { own, requests } = await agent([{ ...running, state: 'finished', bytes: 12 }]);
    const reader = async () => Promise.reject(new Error('gone'));
    await expect(withCapture(own, 'trace', 5_000, reader)).rejects.toThrow('gone');
    expect(requests.at(-1)).toBe('DELETE /v1/jobs/j');
  });
});
