/** An API server that means harm: what it is sent, and how long it holds the user. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { portForward } from '../../../../src/plugin/transport/kube/portforward.ts';
import { startServer, type TestServer } from './server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
const serve = async (...given: Parameters<typeof startServer>): Promise<TestServer> => {
  const server = await startServer(...given);
  closing.push(() => server.close());
  return server;
};

it('is not followed where it redirects to: nobody else gets the credentials', async () => {
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.end('{}');
  }).listen(0, '127.0.0.1');
  closing.push(() => other.close());
  await new Promise((done) => other.once('listening', done));
  const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/stolen`;
  for (const status of [301, 302, 307, 308]) {
    const server = await serve({
      rest: () => ({ status, body: {}, location }),
      reject: { status, body: {}, location },
    });
    const api = await server.api({ token: 'secret' });
    await expect(api.get('/api/v1/namespaces/x/pods')).rejects.toMatchObject({ name: 'NodeopsError' });
    await expect(
      portForward(api, { pod: { namespace: 'x', name: 'api-0' }, port: 8848 }, AbortSignal.timeout(20_000)),
    ).rejects.toMatchObject({
      name: 'NodeopsError',
    });
    expect(server.seen.length).toBeGreaterThan(0);
  }
  expect(asked).toEqual([]);
});

it('with one page more for ever is given up', async () => {
  let asked = 0;
  const server = await serve({
    rest: () => ({ status: 200, body: { items: [1], metadata: { continue: `${++asked}` } } }),
  });
  const api = await server.api();
  const all = async () => {
    for await (const _ of api.list('/api/v1/pods'));
  };
  await expect(all()).rejects.toMatchObject({ code: 'too-large' });
  expect(asked).toBe(1_000);
});
