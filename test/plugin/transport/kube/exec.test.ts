import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type Exec, exec } from '../../../../src/plugin/transport/kube/exec.ts';
import { type Behaviour, bytesOf, podObject, recording, replay, startServer, type TestServer } from './server.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const pod = { namespace: 'default', name: 'bb-0' };

async function open(behaviour: Behaviour, command = ['/bin/sh', '-c', 'x']): Promise<Exec & { server: TestServer }> {
  const server = await startServer(behaviour);
  closing.push(server.close);
  const running = await exec(await server.api(), { pod, command, container: 'app' }, AbortSignal.timeout(30_000));
  closing.unshift(async () => running.stream.destroy());
  return { ...running, server };
}

async function readAll(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const played = (name: string): Behaviour => ({
  socket: replay(recording(name)),
  protocol: recording(name).acceptedProtocol!,
});

describe('a recorded exec', () => {
  it('has stdout, the end of stderr and an exit of 0', async () => {
    const { stream, stderr, exit, server } = await open(played('exec-stdout-exit-0'), ['a b', 'c&d']);
    expect(await readAll(stream)).toBe('out\n');
    expect(stderr()).toBe('err\n');
    expect(await exit).toEqual({ code: 0, message: '' });
    expect(server.seen[0]!.url).toBe(
      '/api/v1/namespaces/default/pods/bb-0/exec?command=a+b&command=c%26d&container=app&stdin=true&stdout=true&stderr=true',
    );
    expect(server.seen[0]!.headers['sec-websocket-protocol']).toBe('v5.channel.k8s.io,v4.channel.k8s.io');
  });

  it.each(['exec-exit-3', 'exec-v4-exit-3'])('%s: the exit code is told', async (name) => {
    const { stream, exit } = await open(played(name));
    stream.resume();
    expect((await exit).code).toBe(3);
  });

  it('killed in the middle has its output and the code of the signal', async () => {
    const { stream, exit } = await open(played('exec-container-dies-mid-stream'));
    expect(await readAll(stream)).toBe('begin\n');
    expect((await exit).code).toBe(137);
  });

  it('ends stdin by a close of its channel, in v5', async () => {
    const recorded = recording('exec-stdin-close-v5');
    const sent: Buffer[] = [];
    const { stream, exit } = await open({
      ...played('exec-stdin-close-v5'),
      socket: (socket) => {
        socket.on('message', (data: Buffer) => sent.push(data));
        replay(recorded)(socket);
      },
    });
    stream.write('hello');
    expect(String((await once(stream, 'data'))[0])).toBe('hello');
    stream.end();
    expect((await exit).code).toBe(0);
    expect(sent).toEqual(recorded.frames.filter(({ from }) => from === 'client').map(bytesOf));
  });

  it('of a pod with several containers wants to be told which', async () => {
    const { rejected } = recording('exec-needs-container-name');
    await expect(open({ reject: rejected! })).rejects.toMatchObject({
      code: 'ambiguous-container',
      detail: { containers: ['web', 'side'] },
    });
  });

  it('of a container that is not there names those that are', async () => {
    const { rejected } = recording('exec-container-not-found');
    const body = { ...podObject({ phase: 'Running' }), spec: { containers: [{ name: 'web' }] } };
    await expect(open({ reject: rejected!, rest: () => ({ status: 200, body }) })).rejects.toMatchObject({
      code: 'no-such-container',
      detail: { containers: ['web'] },
    });
  });
});

it('rejects the exit when the connection is lost before it is told', async () => {
  const { stream, exit } = await open({
    socket: (socket) => setTimeout(() => socket.terminate(), 20),
    protocol: 'v5.channel.k8s.io',
  });
  stream.on('error', () => {});
  stream.resume();
  await expect(exit).rejects.toMatchObject({ code: 'unreachable' });
});

it('keeps a bounded end of stderr', async () => {
  const { stream, stderr, exit } = await open({
    protocol: 'v5.channel.k8s.io',
    socket: (socket) => {
      for (let at = 0; at < 100; at++) socket.send(Buffer.concat([Buffer.of(2), Buffer.alloc(32 * 1024, 'x')]));
      socket.send('\x02last', { binary: true });
      socket.send('\x03{"status":"Success"}', { binary: true });
      socket.close(1000);
    },
  });
  stream.resume();
  await exit;
  expect(stderr()).toHaveLength(64 * 1024);
  expect(stderr().endsWith('last')).toBe(true);
});
