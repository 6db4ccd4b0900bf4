import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Transport } from '../../../../src/plugin/target.ts';
import { portForward } from '../../../../src/plugin/transport/kube/portforward.ts';
import type { StreamSettings } from '../../../../src/plugin/transport/kube/stream.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import {
  type Behaviour,
  bytesOf,
  podObject,
  recording,
  replay,
  restRecording,
  startServer,
  type TestServer,
} from './server.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const patiently = { timeout: 30_000 };
const pod = { namespace: 'default', name: 'api-0' };
const prefix = (port = 8848) => [Buffer.of(0, port & 255, port >> 8), Buffer.of(1, port & 255, port >> 8)];

async function open(
  behaviour: Behaviour,
  port = 8848,
  settings: StreamSettings & { container?: string } = {},
): Promise<{ stream: Transport; server: TestServer }> {
  const server = await startServer(behaviour);
  closing.push(server.close);
  const api = await server.api();
  const stream = await portForward(
    api,
    { pod, port, noAgentHint: 'load it', ...settings },
    AbortSignal.timeout(30_000),
  );
  closing.unshift(async () => stream.destroy());
  return { stream, server };
}

async function failure(promise: Promise<unknown>): Promise<NodeopsError> {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(NodeopsError);
  return error as NodeopsError;
}

async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a recorded port-forward', () => {
  it('carries the bytes of both sides without the port prefixes, and ends', async () => {
    const recorded = recording('portforward-http-get');
    const { stream, server } = await open({ socket: replay(recorded) });
    stream.write(bytesOf(recorded.frames[2]!).subarray(1));
    expect(await readAll(stream)).toEqual(bytesOf(recorded.frames[3]!).subarray(1));
    expect(server.seen[0]!.url).toBe(recorded.path);
    expect(server.seen[0]!.headers['sec-websocket-protocol']).toBe('v4.channel.k8s.io');
    expect(server.seen[0]!.headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('to a refused port fails with no-agent, naming pod and port', async () => {
    const { stream } = await open(
      {
        socket: replay(recording('portforward-connection-refused')),
        rest: () => ({ status: 200, body: podObject({ phase: 'Running' }) }),
      },
      1,
    );
    // the recording is cut before the words that name the cause
    const error = await failure(readAll(stream));
    expect(['no-agent', 'unreachable']).toContain(error.code);
    expect(error.message).toContain("pod 'api-0' in namespace 'default'");
  });

  it('says no-agent when the error channel says connection refused, and the pod runs', async () => {
    const { stream } = await open({
      rest: () => ({
        status: 200,
        body: podObject({ phase: 'Running', containerStatuses: [{ name: 'app', state: { running: {} } }] }),
      }),
      socket: (socket) => {
        for (const frame of prefix()) socket.send(frame);
        socket.send('\x01error forwarding port: dial tcp4 127.0.0.1:8848: connect: connection refused', {
          binary: true,
        });
        socket.close(1000);
      },
    });
    const error = await failure(readAll(stream));
    expect(error).toMatchObject({ code: 'no-agent', hint: 'load it' });
    expect(error.message).toBe("nothing listens on port 8848 of pod 'api-0' in namespace 'default'");
  });

  it('says pod-not-running instead when no container of the pod runs', async () => {
    const crashed = restRecording('pod-crashloop');
    const { stream } = await open({
      rest: () => crashed,
      socket: (socket) => {
        for (const frame of prefix()) socket.send(frame);
        socket.send('\x01connect: connection refused', { binary: true });
      },
    });
    const error = await failure(readAll(stream));
    expect(error.code).toBe('pod-not-running');
    expect(error.hint).toContain('describe pod api-0 -n default');
  });

  it('whose port prefix is another port is refused', async () => {
    const { stream } = await open({ socket: (socket) => socket.send(Buffer.of(0, 1, 0)) });
    expect((await failure(readAll(stream))).code).toBe('unreachable');
  });

  it('that loses the API server fails instead of ending', async () => {
    const { stream } = await open({
      socket: (socket) => {
        for (const frame of prefix()) socket.send(frame);
        socket.send('\x00half', { binary: true }, () => socket.terminate());
      },
    });
    const error = await failure(readAll(stream));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('was cut');
  });
});

describe('a refused handshake', () => {
  const rejected = async (name: string, rest?: Behaviour['rest'], container?: string) => {
    const { rejected: reject } = recording(name);
    return failure(
      open({ reject: reject!, ...(rest && { rest }) }, 8848, container === undefined ? {} : { container }),
    );
  };

  it('of a pending pod says why it is pending', async () => {
    const error = await rejected('portforward-pod-pending', () => ({
      status: 200,
      body: podObject({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }],
      }),
    }));
    expect(error.code).toBe('pod-not-running');
    expect(error.message).toBe("pod 'api-0' in namespace 'default' is pending: 0/1 nodes are available");
  });

  it('of a completed pod says so', async () => {
    const error = await rejected('portforward-pod-completed', () => ({
      status: 200,
      body: podObject({ phase: 'Succeeded' }),
    }));
    expect(error).toMatchObject({ code: 'pod-not-running' });
    expect(error.message).toContain('has completed');
  });

  it('of a pod that its kubelet does not know says what becomes of the pod, or the words of the kubelet', async () => {
    const reject = { status: 404, body: 'pod does not exist' };
    const of = (status: object) =>
      failure(open({ reject, rest: () => ({ status: 200, body: podObject(status) }) }, 8848, {}));
    expect(await of({ phase: 'Succeeded' })).toMatchObject({ code: 'pod-not-running' });
    const running = await of({ phase: 'Running', containerStatuses: [{ name: 'app', state: { running: {} } }] });
    expect(running.message).toContain('pod does not exist');
    expect(running.message).not.toContain('no Kubernetes API server');
  });

  it('of an unknown pod is no-such-pod, with the command that lists pods', async () => {
    const error = await rejected('portforward-pod-not-found');
    expect(error.code).toBe('no-such-pod');
    expect(error.message).toBe("there is no pod 'api-0' in namespace 'default'");
    expect(error.hint).toMatch(/^kubectl .*get pods -n default$/);
  });

  it('that names the missing right is passed on, with the command that grants it', async () => {
    const error = await rejected('portforward-forbidden');
    expect(error.code).toBe('forbidden');
    expect(error.message).toBe(
      "user 'system:serviceaccount:default:nobody' may not get pods/portforward in namespace 'default'",
    );
    expect(error.hint).toContain('create role nodeops --verb=get,create --resource=pods/portforward -n default');
  });

  it('that names nothing is found out by access reviews', async () => {
    const error = await rejected('portforward-get-without-create', ({ url, body }) => {
      if (url.endsWith('/selfsubjectreviews'))
        return { status: 201, body: { status: { userInfo: { username: 'jane' } } } };
      const { resourceAttributes } = JSON.parse(body).spec;
      return { status: 201, body: { status: { allowed: resourceAttributes.verb === 'get' } } };
    });
    expect(error.code).toBe('forbidden');
    expect(error.message).toBe("user 'jane' may not create pods/portforward in namespace 'default'");
  });

  it('for a container that the pod does not have names those it has', async () => {
    const error = await rejected(
      'exec-container-not-found',
      () => ({ status: 200, body: podObject({ phase: 'Running' }) }),
      'nope',
    );
    expect(error).toMatchObject({ code: 'no-such-container', detail: { containers: ['app', 'side'] } });
    expect(error.hint).toContain('app, side');
  });

  it('of an unauthenticated user says that nothing was sent', async () => {
    const error = await failure(open({ reject: restRecording('no-credentials') }));
    expect(error.code).toBe('unauthenticated');
    expect(error.message).toContain('none were sent');
  });
});

describe('a stream that stands still', () => {
  // client and server are one process: when that stands still, neither has stopped answering
  const quick = { probeMs: 50, pongTimeoutMs: 3_000 };
  const silent: Behaviour['socket'] = (socket) => {
    for (const frame of prefix()) socket.send(frame);
  };

  it('is destroyed with stalled when its pod is gone, as when a pod is killed', async () => {
    const { stream } = await open(
      { socket: replay(recording('portforward-pod-killed-mid-stream')), rest: () => restRecording('pod-not-found') },
      8848,
      quick,
    );
    stream.write('GET / HTTP/1.0\r\n\r\n');
    stream.expectData!(true);
    const error = await failure(readAll(stream));
    expect(error.code).toBe('stalled');
    expect(error.message).toContain("pod 'api-0' in namespace 'default' stands still: the pod is gone");
  });

  it('is destroyed when a new pod of the same name has taken its place', async () => {
    const { stream } = await open(
      {
        socket: silent,
        rest: () => ({
          status: 200,
          body: podObject({ phase: 'Running' }, { creationTimestamp: new Date(Date.now() + 60_000).toISOString() }),
        }),
      },
      8848,
      quick,
    );
    stream.expectData!(true);
    expect((await failure(readAll(stream))).message).toContain('replaced');
  });

  it('lives on while its pod lives and the server answers pings', async () => {
    let send = (_: string) => {};
    const { stream, server } = await open(
      {
        socket: (socket, request) => {
          silent(socket, request);
          send = (text) => socket.send(text, { binary: true });
        },
        rest: () => ({ status: 200, body: podObject({ phase: 'Running' }) }),
      },
      8848,
      quick,
    );
    stream.expectData!(true);
    const looks = () => server.seen.filter(({ method }) => method === 'GET').length;
    await expect.poll(looks, patiently).toBeGreaterThan(2);
    send('\x00late');
    expect(String((await once(stream, 'data'))[0])).toBe('late');
  });

  it('is destroyed when the server answers no ping', async () => {
    const { stream } = await open(
      {
        socket: (socket, request) => {
          silent(socket, request);
          setTimeout(() => socket.pause(), 20);
        },
        rest: () => ({ status: 200, body: podObject({ phase: 'Running' }) }),
      },
      8848,
      quick,
    );
    stream.expectData!(true);
    const error = await failure(readAll(stream));
    expect(error.code).toBe('stalled');
    expect(error.message).toContain('API server has stopped answering');
  });

  it('is left alone while nothing is awaited, and kept alive by empty messages', async () => {
    const received: Buffer[] = [];
    const { stream, server } = await open(
      {
        socket: (socket, request) => {
          silent(socket, request);
          socket.on('message', (data: Buffer) => received.push(data));
        },
        rest: () => restRecording('pod-not-found'),
      },
      8848,
      { ...quick, keepaliveMs: 50 },
    );
    await expect.poll(() => received.length, patiently).toBeGreaterThan(4);
    expect(stream.destroyed).toBe(false);
    expect(server.seen).toHaveLength(1);
    expect(received.every((frame) => frame.length === 1 && frame[0] === 0)).toBe(true);
  });
});

describe('256 MiB', () => {
  const total = 256 * 1024 * 1024;
  const block = randomBytes(1024 * 1024);
  const digest = () => createHash('sha256');
  const expected = (() => {
    const hash = digest();
    for (let left = total; left > 0; left -= block.length) hash.update(block);
    return hash.digest('hex');
  })();
  const bound = 96 * 1024 * 1024;

  /** What a figure is when it has grown, and then not for a second. */
  async function settled(figure: () => number): Promise<number> {
    for (let last = 0, since = 0; ; ) {
      await sleep(100);
      since = figure() === last ? since + 1 : 0;
      last = figure();
      if (last > 0 && since === 10) return last;
    }
  }

  it('to a reader that stalls are held back at the server, and arrive identical', async () => {
    let buffered = 0;
    const { stream } = await open({
      socket: async (socket) => {
        for (const frame of prefix()) socket.send(frame);
        const size = 32 * 1024;
        for (let at = 0; at < total; at += size) {
          const from = at % block.length;
          await new Promise((done) =>
            socket.send(Buffer.concat([Buffer.of(0), block.subarray(from, from + size)]), done),
          );
          buffered = at;
        }
        socket.close(1000);
      },
    });
    const hash = digest();
    stream.once('readable', () => {});
    // sockets and both ends' buffers, not the whole of it
    expect(await settled(() => buffered)).toBeLessThan(bound);
    for await (const chunk of stream) hash.update(chunk);
    expect(hash.digest('hex')).toBe(expected);
  });

  it('to a pod that stalls are held back at the writer, in whole messages, and arrive identical', async () => {
    const hash = digest();
    let received = 0;
    let largest = 0;
    let resume = () => {};
    let finish = () => {};
    const finished = new Promise<void>((done) => {
      finish = done;
    });
    const { stream } = await open({
      socket: (socket) => {
        for (const frame of prefix()) socket.send(frame);
        socket.pause();
        resume = () => socket.resume();
        socket.on('message', (data: Buffer) => {
          largest = Math.max(largest, data.length);
          received += data.length - 1;
          hash.update(data.subarray(1));
          if (received === total) finish();
        });
      },
    });
    let written = 0;
    const writing = (async () => {
      for (; written < total; written += block.length) if (!stream.write(block)) await once(stream, 'drain');
    })();
    expect(await settled(() => written)).toBeLessThan(bound);
    resume();
    await writing;
    await finished;
    expect(hash.digest('hex')).toBe(expected);
    expect(largest).toBeLessThanOrEqual(1024 * 1024);
  });
});
