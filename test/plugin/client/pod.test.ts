import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { AgentClient } from '../../../src/plugin/client/client.ts';
import { podTarget } from '../../../src/plugin/targets/pod.ts';
import type { KubeApi } from '../../../src/plugin/transport/kube/api.ts';
import type { StreamSettings } from '../../../src/plugin/transport/kube/stream.ts';
import { NodeopsError } from '../../../src/protocol/errors.ts';
import { envelopeOf } from '../../bed/replies.ts';
import { podObject, restRecording, startServer, type TestServer } from '../transport/kube/server.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const pod = { namespace: 'default', name: 'api-0' };
const prefixes = [Buffer.of(0, 0x90, 0x22), Buffer.of(1, 0x90, 0x22)];
const clientOf = (api: KubeApi, container?: string, settings: StreamSettings = {}) => {
  const { endpoint, process } = podTarget(api, { pod, container, ...settings });
  const client = new AgentClient(endpoint);
  closing.unshift(() => client.close());
  return { client, process };
};
const open = async (behaviour: Parameters<typeof startServer>[0]): Promise<TestServer> => {
  const server = await startServer(behaviour);
  closing.push(server.close);
  return server;
};

/** Forwards a WebSocket to a real port, as the kubelet does. */
function forwardTo(port: number): (socket: WebSocket) => void {
  return (socket) => {
    for (const frame of prefixes) socket.send(frame);
    const inside = connect(port, '127.0.0.1');
    inside.on('error', () => {});
    inside.on('data', (data) => socket.send(Buffer.concat([Buffer.of(0), data])));
    inside.on('close', () => socket.close(1000));
    socket.on('message', (data: Buffer) => inside.write(data.subarray(1)));
    socket.on('close', () => inside.destroy());
  };
}

it('several questions go over one WebSocket, without looking at the pod first', async () => {
  const agent = createServer((request, response) => {
    response.setHeader('X-Nodeops-Protocol', '1');
    const name = request.url!.includes('stats') ? 'stats' : 'stack';
    response.end(JSON.stringify(envelopeOf(name, { url: request.url })));
  }).listen(0, '127.0.0.1');
  closing.push(() => agent.close());
  await new Promise((done) => agent.once('listening', done));
  const server = await open({ socket: forwardTo((agent.address() as AddressInfo).port) });
  const { client, process } = clientOf(await server.api(), 'app');
  for (const name of ['stats', 'stack'] as const) {
    const { data } = await client.ask(name, {}, { process });
    expect(data).toMatchObject({ url: `/v1/${name}?process=app` });
  }
  expect(server.seen.map(({ method }) => method)).toEqual(['UPGRADE']);
});

it('a port where nothing listens is no-agent, although the connection seemed to open', async () => {
  const server = await open({
    socket: (socket) => {
      for (const frame of prefixes) socket.send(frame);
      socket.send('\x01dial tcp 127.0.0.1:8848: connect: connection refused', { binary: true });
      socket.close(1000);
    },
    rest: () => ({ status: 200, body: podObject({ phase: 'Running' }) }),
  });
  const error = await clientOf(await server.api())
    .client.ask('stats')
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(NodeopsError);
  expect(error).toMatchObject({
    code: 'no-agent',
    message: "nothing listens on port 8848 of pod 'api-0' in namespace 'default'",
  });
  expect(error.hint).toContain('nodeops.dev/inject');
});

describe('a pod whose container has only just been started', () => {
  const refuse = (socket: WebSocket) => {
    for (const frame of prefixes) socket.send(frame);
    socket.send('\x01dial tcp 127.0.0.1:8848: connect: connection refused', { binary: true });
    socket.close(1000);
  };
  const startedAgo = (ms: number, annotations: object) => {
    const state = { running: { startedAt: new Date(Date.now() - ms).toISOString() } };
    const status = { phase: 'Running', containerStatuses: [{ name: 'app', state }] };
    return () => ({ status: 200, body: podObject(status, { annotations }) });
  };

  it.each([
    ['says that it is injected', { 'nodeops.dev/injected': 'app' }],
    ['wishes for it', { 'nodeops.dev/inject': 'true' }],
  ])('is asked again where it %s', async (_, annotations) => {
    const agent = createServer((_, response) => {
      response.setHeader('X-Nodeops-Protocol', '1');
      response.end(JSON.stringify(envelopeOf('stats', {})));
    }).listen(0, '127.0.0.1');
    closing.push(() => agent.close());
    await new Promise((done) => agent.once('listening', done));
    const forward = forwardTo((agent.address() as AddressInfo).port);
    let tries = 0;
    const server = await open({
      socket: (socket) => (++tries < 3 ? refuse(socket) : forward(socket)),
      rest: startedAgo(0, annotations),
    });
    expect(await clientOf(await server.api()).client.ask('stats')).toMatchObject({ operation: 'stats' });
    expect(tries).toBe(3);
  });

  it.each([
    ['has no annotation', 0, {}],
    ['was told not to be injected', 0, { 'nodeops.dev/inject': 'false' }],
    ['was started a while ago', 60_000, { 'nodeops.dev/injected': 'app' }],
  ])('is not waited for where it %s', async (_, ms, annotations) => {
    const server = await open({ socket: refuse, rest: startedAgo(ms, annotations) });
    const asked = clientOf(await server.api()).client.ask('stats');
    await expect(asked).rejects.toMatchObject({ code: 'no-agent' });
    expect(server.connections()).toBe(2);
  });

  it('is not waited for longer than was allowed, and told as it is', async () => {
    const server = await open({ socket: refuse, rest: startedAgo(0, { 'nodeops.dev/injected': 'app' }) });
    const asked = clientOf(await server.api()).client.ask('stats', {}, { timeoutMs: 700 });
    await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^(?:no-agent|timeout)$/) });
  });
});

it('a pod killed in the middle of its reply is stalled, not waited for', async () => {
  const server = await open({
    socket: (socket) => {
      for (const frame of prefixes) socket.send(frame);
      socket.once('message', () => {
        const head = 'HTTP/1.1 200 OK\r\nX-Nodeops-Protocol: 1\r\nContent-Length: 1000\r\n\r\n{';
        socket.send(`\x00${head}`, { binary: true });
      });
    },
    rest: () => restRecording('pod-not-found'),
  });
  const { client } = clientOf(await server.api(), undefined, { probeMs: 50 });
  const error = await client.ask('stats').catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'stalled' });
  expect(error.message).toContain('the pod is gone');
});

it('an agent that finds no such process has its answer explained by the pod’s containers', async () => {
  const agent = createServer((_, response) => {
    response.setHeader('X-Nodeops-Protocol', '1');
    response
      .writeHead(404)
      .end(JSON.stringify({ schema: 'nodeops/v1', error: { code: 'no-such-process', message: 'none' } }));
  }).listen(0, '127.0.0.1');
  closing.push(() => agent.close());
  await new Promise((done) => agent.once('listening', done));
  const server = await open({
    socket: forwardTo((agent.address() as AddressInfo).port),
    rest: () => ({ status: 200, body: podObject({ phase: 'Running' }) }),
  });
  const { client, process } = clientOf(await server.api(), 'nope');
  const error = await client.ask('stats', {}, { process }).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'no-such-container', hint: '-c with one of: app, side' });
});
