import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentClient } from '../../../src/plugin/client/client.ts';
import { addressTarget } from '../../../src/plugin/targets/address.ts';
import { NodeopsError } from '../../../src/protocol/errors.ts';
import { limits, protocolVersion } from '../../../src/protocol/limits.ts';

import { envelopeOf } from '../../bed/replies.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function clientOf(server: Server): Promise<{ client: AgentClient; connections: () => number; port: number }> {
  let connections = 0;
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new AgentClient(addressTarget('127.0.0.1', port).endpoint);
  closing.push(() => {
    client.close();
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { client, connections: () => connections, port };
}
const agent = (listener: RequestListener) =>
  clientOf(
    createServer((request, response) => {
      response.setHeader('X-Nodeops-Protocol', String(protocolVersion));
      listener(request, response);
    }),
  );
const tcp = (listener: (socket: Socket) => void) => clientOf(createTcpServer(listener));

const envelope = envelopeOf('stats');
const reply = (response: ServerResponse, body: unknown = envelope, status = 200) =>
  response.writeHead(status).end(JSON.stringify(body));

async function failure(promise: Promise<unknown>): Promise<NodeopsError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NodeopsError);
  return error as NodeopsError;
}

describe('asking an agent', () => {
  it('sends path, query and header, reads the envelope, and keeps the connection', async () => {
    const seen: IncomingMessage[] = [];
    const { client, connections } = await agent((request, response) => {
      seen.push(request);
      reply(response);
    });
    expect(await client.ask('stats', { window: 50 }, { process: 'web/7' })).toEqual(envelope);
    await client.ask('stats');
    expect(seen.map(({ url, method }) => `${method} ${url}`)).toEqual([
      'GET /v1/stats?process=web%2F7&window=50',
      'GET /v1/stats',
    ]);
    expect(seen[0]!.headers).toMatchObject({ 'x-nodeops': '1', host: '127.0.0.1' });
    expect(connections()).toBe(1);
  });

  it('gives what the agent says went wrong, with hint and detail', async () => {
    const error = { code: 'ambiguous-process', message: 'several', hint: '-c web', detail: { choices: ['web/1'] } };
    const { client } = await agent((_, response) => reply(response, { schema: 'nodeops/v1', error }, 409));
    expect(await failure(client.ask('stats'))).toMatchObject(error);
  });

  it('an agent of a newer protocol asks for an update', async () => {
    const { client } = await clientOf(
      createServer((_, response) => {
        response.setHeader('X-Nodeops-Protocol', String(protocolVersion + 1));
        reply(response);
      }),
    );
    const error = await failure(client.ask('stats'));
    expect(error.code).toBe('newer-protocol');
    expect(error.hint).toContain('upgrade');
  });

  it('has a deadline, to which the durations asked for are added', async () => {
    const { client } = await agent((_, response) => setTimeout(() => reply(response), 300));
    expect(await failure(client.ask('stats', {}, { timeoutMs: 50 }))).toMatchObject({ code: 'timeout' });
    expect(await failure(client.ask('stats', {}, { signal: AbortSignal.timeout(50) }))).toMatchObject({
      code: 'timeout',
    });
    expect(await failure(client.ask('stats', {}, { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'interrupted',
    });
    expect(await client.ask('stats')).toEqual(envelope);
  });

  it('refuses a reply that is too large, or no envelope', async () => {
    const large = await agent((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024, ' ');
      for (let size = 0; size <= limits.replyBytes; size += chunk.length) response.write(chunk);
      response.end();
    });
    expect(await failure(large.client.ask('stats'))).toMatchObject({ code: 'too-large' });
    const odd = await agent((_, response) => reply(response, { hello: 1 }));
    expect(await failure(odd.client.ask('stats'))).toMatchObject({ code: 'failed' });
  });

  it.each([
    ['version', { agentVersion: 3 }, 'data.agentVersion'],
    ['version', { arch: 'x'.repeat(300_000) }, 'data.arch'],
    ['stats', { eventLoop: { utilization: 'high' } }, 'data.eventLoop.utilization'],
    ['stack', { threads: {} }, 'data.threads'],
  ] as const)('refuses a reply to %s that is not one, and says where', async (name, said, place) => {
    const { client } = await agent((_, response) => reply(response, envelopeOf(name, said)));
    const error = await failure(client.ask(name));
    expect(error).toMatchObject({ code: 'failed', message: expect.stringContaining(`a reply to ${name}`) });
    expect(error.hint).toContain(place);
  });

  it('takes what a newer agent adds', async () => {
    const { client } = await agent((_, response) =>
      reply(response, envelopeOf('version', { more: [1], platform: 'x' })),
    );
    expect((await client.ask('version')).data).toMatchObject({ more: [1], platform: 'x' });
  });
});

describe('a connection that is cut', () => {
  const half = (response: ServerResponse) => {
    response.writeHead(200, { 'Content-Length': 1_000 });
    response.write('{', () => response.socket!.destroy());
  };

  it('in the middle of a reply: a read is asked once more, on a new connection', async () => {
    let asked = 0;
    const { client, connections } = await agent((_, response) => (asked++ === 0 ? half(response) : reply(response)));
    expect(await client.ask('stats')).toEqual(envelope);
    expect(connections()).toBe(2);
  });

  it('again and again is one clear error', async () => {
    let asked = 0;
    const { client } = await agent((_, response) => {
      asked++;
      half(response);
    });
    const error = await failure(client.ask('stats'));
    expect(error.code).toBe('unreachable');
    expect(error.message).toContain('was cut in the middle of its reply');
    expect(asked).toBe(2);
  });

  it('while idle is replaced', async () => {
    const { client } = await agent((request, response) => {
      reply(response);
      response.on('finish', () => setTimeout(() => request.socket.destroy(), 5));
    });
    await client.ask('stats');
    await new Promise((done) => setTimeout(done, 50));
    expect(await client.ask('stats')).toEqual(envelope);
  });

  it('is not asked again by an effect', async () => {
    let asked = 0;
    const { client } = await agent((request) => {
      asked++;
      request.socket.destroy();
    });
    await failure(client.request({ method: 'POST', path: '/v1/gc' }));
    expect(asked).toBe(1);
  });
});

describe('streaming', () => {
  it('gives the reply as it comes, with what was asked of it', async () => {
    const { client } = await agent((request, response) => {
      expect(request.headers).toMatchObject({ range: 'bytes=3-', 'content-type': 'application/json' });
      request.pipe(response);
    });
    const response = await client.request({
      method: 'POST',
      path: '/v1/x',
      headers: { Range: 'bytes=3-' },
      body: '{"a":1}',
    });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('{"a":1}');
  });

  it('is ended in the middle by the caller’s signal', async () => {
    const { client } = await agent((_, response) => response.write('begin'));
    const stop = new AbortController();
    const response = await client.request({ method: 'GET', path: '/v1/x', signal: stop.signal });
    await once(response, 'data');
    stop.abort();
    const [error] = await once(response, 'error');
    expect(error).toBeInstanceOf(Error);
  });
});

describe('something else on the port', () => {
  it('another HTTP server is named', async () => {
    const { client, port } = await clientOf(
      createServer((_, response) => response.writeHead(404, { Server: 'nginx/1.29' }).end()),
    );
    const error = await failure(client.ask('stats'));
    expect(error.code).toBe('no-agent');
    expect(error.message).toBe(
      `127.0.0.1:${port}: the HTTP server 'nginx/1.29' answers (status 404), which is no nodeops agent`,
    );
    expect(error.hint).toContain('NODE_OPTIONS');
  });

  it('what speaks no HTTP is quoted', async () => {
    const { client } = await tcp((socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n'));
    const error = await failure(client.ask('stats'));
    expect(error.code).toBe('no-agent');
    expect(error.message).toContain("'SSH-2.0-OpenSSH_9.6");
  });

  // a gops agent reads one byte, answers the signals it knows and closes
  it('the gops agent of a Go process is recognised', async () => {
    const { client } = await tcp((socket) =>
      socket.once('data', (data) => {
        if (data[0] === 0x04) socket.write('go1.26.1\n');
        socket.end();
      }),
    );
    const error = await failure(client.ask('stats'));
    expect(error).toMatchObject({ code: 'no-agent', detail: { go: 'go1.26.1' } });
    expect(error.message).toContain('gops agent of a Go process (go1.26.1)');
  });

  it('what closes without a word is said to', async () => {
    const { client } = await tcp((socket) => socket.resume().end());
    expect((await failure(client.ask('stats'))).message).toContain('closes the connection without an answer');
  });
});
