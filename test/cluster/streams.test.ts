/** Streams beyond what was recorded: backpressure, fragments, limits, timers, terminals. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { converse } from './conversation.ts';

let cluster: Cluster;
let admin: Client;
const podsPath = '/api/v1/namespaces/default/pods';
const v4 = ['v4.channel.k8s.io'];
const v5 = ['v5.channel.k8s.io'];

/** An echo server on 7000, one that never reads on 7001, one that sends without end on 7002, one that counts on 7003. */
const servers = `
const net = require('net');
net.createServer((s) => s.pipe(s).on('error', () => {})).listen(7000, '127.0.0.1');
net.createServer((s) => { s.pause(); s.on('error', () => {}) }).listen(7001, '127.0.0.1');
globalThis.sent = 0;
net.createServer((s) => { s.on('error', () => {}); const b = Buffer.alloc(65536); const f = () => { while (!s.destroyed) { globalThis.sent += b.length; if (!s.write(b)) break } }; s.on('drain', f); f() }).listen(7002, '127.0.0.1');
net.createServer((s) => s.end(String(globalThis.sent))).listen(7003, '127.0.0.1');
net.createServer((s) => s.pipe(s)).listen(7004, '::1', () => console.log('listening'));
`;

beforeAll(async () => {
  cluster = await startCluster();
  admin = await withServers(cluster);
});
afterAll(() => cluster?.stop());

/** A client of a cluster in which the servers run. */
async function withServers({ kubeconfig }: Cluster): Promise<Client> {
  const client = openClient(kubeconfig);
  await client.create(podsPath, {
    metadata: { name: 'net' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'app', image: 'nodeops.test/node:24', args: ['-e', servers] }],
    },
  });
  await client.until(`${podsPath}/net`, ({ status }) => status.phase === 'Running');
  for (let tries = 0; tries < 600; tries++) {
    if ((await client.request('GET', `${podsPath}/net/log`)).body === 'listening\n') return client;
    await sleep(50);
  }
  throw new Error('the servers did not start');
}

const forwardOf = (client: Client, ...ports: number[]) =>
  converse(client, `${podsPath}/net/portforward?${ports.map((port) => `ports=${port}`).join('&')}`, v4);
const forward = (...ports: number[]) => forwardOf(admin, ...ports);
const text = (frames: Buffer[], channel: number) =>
  Buffer.concat(frames.filter((frame) => frame[0] === channel).map((frame) => frame.subarray(1)))
    .subarray(2)
    .toString();

it('carries several ports at once, IPv6 loopback included', async () => {
  const conversation = await forward(7000, 7004);
  conversation.send(Buffer.from('\0first'));
  conversation.send(Buffer.from('\x02second'));
  await conversation.frameCount(6);
  expect([text(conversation.frames, 0), text(conversation.frames, 2)]).toEqual(['first', 'second']);
  conversation.end();
});

it('reads each fragment of a message as a frame of its own', async () => {
  const conversation = await forward(7000, 7004);
  conversation.socket.send(Buffer.from('\0one'), { fin: false });
  // the first byte of the second fragment is taken for a channel
  conversation.socket.send(Buffer.from('\x02two'), { fin: true });
  await conversation.frameCount(6);
  expect([text(conversation.frames, 0), text(conversation.frames, 2)]).toEqual(['one', 'two']);
  conversation.end();
});

/** The figure once it has not changed for a second, however long that takes. */
async function settled(figure: () => number | Promise<number>): Promise<number> {
  let last = await figure();
  for (let same = 0; same < 2; ) {
    await sleep(500);
    const now = await figure();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

it('refuses frames above 32 MiB and takes those below', { timeout: 180_000 }, async () => {
  const below = await forward(7000);
  below.send(Buffer.concat([Buffer.from([0]), Buffer.alloc(32 * 1024 * 1024 - 1)]));
  await below.received(32 * 1024 * 1024 - 1);
  below.end();
  const above = await forward(7000);
  above.send(Buffer.alloc(32 * 1024 * 1024 + 1));
  expect((await above.closed).code).toBe(1000);
});

it('holds a fast pod back while the client does not read', async () => {
  const conversation = await forward(7002);
  await conversation.received(1024 * 1024);
  conversation.socket.pause();
  const sent = async () => {
    const asked = await forward(7003);
    await asked.frameCount(3);
    asked.end();
    return Number(text(asked.frames, 0));
  };
  // without backpressure it would never stop
  await settled(sent);
  conversation.end();
});

it('holds a fast client back while the pod does not read', async () => {
  const conversation = await forward(7001);
  const chunk = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 1024; i++) conversation.socket.send(chunk);
  const stuck = await settled(() => conversation.socket.bufferedAmount);
  expect(stuck).toBeGreaterThan(32 * 1024 * 1024);
  conversation.end();
});

it('closes after silence, which a ping does not break and an empty data frame does', async () => {
  const impatient = await startCluster({ idleTimeoutMs: 4000 });
  try {
    const client = await withServers(impatient);
    const pinged = await forwardOf(client, 7000);
    const pings = setInterval(() => pinged.socket.ping(), 300);
    const kept = await forwardOf(client, 7000);
    const frames = setInterval(() => kept.send(Buffer.from([0])), 300);
    expect((await pinged.closed).code).toBe(1000);
    clearInterval(pings);
    await sleep(1000);
    expect(kept.socket.readyState).toBe(kept.socket.OPEN);
    clearInterval(frames);
    kept.end();
  } finally {
    await impatient.stop();
  }
});

it('gives exec a terminal when asked, and tolerates its size', async () => {
  const query = ['sh', '-c', 'test -t 0 && test -t 1 && echo terminal; read line; echo "got $line"']
    .map((part) => `command=${encodeURIComponent(part)}`)
    .join('&');
  const conversation = await converse(admin, `${podsPath}/net/exec?${query}&stdin=true&stdout=true&tty=true`, v5);
  conversation.send(Buffer.from('\x04{"Width":80,"Height":24}'));
  conversation.send(Buffer.from('\0typed\n'));
  await conversation.closed;
  const output = Buffer.concat(
    conversation.frames.filter((frame) => frame[0] === 1).map((frame) => frame.subarray(1)),
  ).toString();
  expect(output).toContain('terminal\r\n');
  expect(output).toContain('got typed\r\n');
  expect(conversation.frames.at(-1)!.toString()).toBe('\x03{"metadata":{},"status":"Success"}');
});

it('carries a lot through exec, both ways, unchanged', async () => {
  const conversation = await converse(admin, `${podsPath}/net/exec?command=cat&stdin=true&stdout=true`, v5);
  const size = 16 * 1024 * 1024;
  const sent = Buffer.alloc(size, 'abcdefg');
  for (let at = 0; at < size; at += 65_536)
    conversation.send(Buffer.concat([Buffer.from([0]), sent.subarray(at, at + 65_536)]));
  conversation.send(Buffer.from([255, 0]));
  await conversation.closed;
  const received = Buffer.concat(
    conversation.frames.filter((frame) => frame[0] === 1).map((frame) => frame.subarray(1)),
  );
  expect(received.equals(sent)).toBe(true);
  expect(Math.max(...conversation.frames.map((frame) => frame.length))).toBeLessThanOrEqual(32 * 1024 + 1);
});

it('refuses what it does not speak', async () => {
  const unknown = await converse(admin, `${podsPath}/net/portforward?ports=7000`, ['v9.channel.k8s.io']);
  expect(unknown.rejected?.status).toBe(400);
  const nothing = await converse(admin, `${podsPath}/net/exec?command=true`, v5);
  expect(nothing.rejected).toEqual({ status: 400, body: 'you must specify at least 1 of stdin, stdout, stderr' });
  const plain = await admin.request('GET', `${podsPath}/net/exec?command=true&stdout=true`);
  expect([plain.status, plain.body.message]).toEqual([400, 'Upgrade request required']);
});
