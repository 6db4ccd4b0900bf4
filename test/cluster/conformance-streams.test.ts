/** Replays the recorded WebSocket exchanges (port-forward and exec) of a real Kubernetes 1.36 against the embedded cluster. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from './api/types.ts';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { normalized, recordedPods, recordings } from './conformance.ts';
import { type Conversation, converse } from './conversation.ts';

interface Frame {
  readonly from: 'client' | 'server';
  readonly ms: number;
  readonly hex?: string;
  readonly bytes?: number;
  readonly close?: boolean;
}
interface Exchange {
  readonly name: string;
  readonly path: string;
  readonly protocols: string[];
  readonly frames: Frame[];
  readonly acceptedProtocol?: string;
  readonly rejected?: { status: number; body: Json };
  readonly error?: string;
  readonly close?: { code: number; ms: number };
}

const exchanges = new Map(recordings<Exchange>('websocket').map((exchange) => [exchange.name, exchange]));
let cluster: Cluster;
let admin: Client;
const as: Record<string, Client> = {};
const podsPath = '/api/v1/namespaces/default/pods';

beforeAll(async () => {
  cluster = await startCluster();
  admin = openClient(cluster.kubeconfig);
  for (const name of ['nobody', 'getonly']) {
    await admin.create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name } });
    as[name] = await admin.asServiceAccount('default', name);
  }
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const rules = [{ apiGroups: [''], resources: ['pods', 'pods/portforward', 'pods/exec'], verbs: ['get', 'list'] }];
  await admin.create(`${rbac}/roles`, { metadata: { name: 'getonly' }, rules });
  await admin.create(`${rbac}/rolebindings`, {
    metadata: { name: 'getonly' },
    roleRef: { kind: 'Role', name: 'getonly' },
    subjects: [{ kind: 'ServiceAccount', name: 'getonly' }],
  });
  for (const pod of recordedPods()) await admin.create(podsPath, pod);
  const endless = `require('http').createServer((q,s)=>{const b=require('crypto').randomBytes(65536);const f=()=>{while(s.write(b));};s.on('drain',f);f()}).listen(8848,'127.0.0.1')`;
  await admin.create(podsPath, {
    metadata: { name: 'big-0' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'big', image: 'docker.io/library/node-distroless:22', args: ['-e', endless] }],
    },
  });
  await admin.until(`${podsPath}/done-0`, ({ status }) => status.phase === 'Succeeded');
  await admin.until(
    podsPath,
    ({ items }) => items.filter(({ status }: Json) => status.phase === 'Running').length === 4,
  );
  // a running process is not yet a listening one
  await Promise.all(['api-0', 'big-0'].map((pod) => listening(pod)));
});
afterAll(() => cluster?.stop());

async function listening(pod: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const conversation = await converse(admin, `${podsPath}/${pod}/portforward?ports=8848`, ['v4.channel.k8s.io']);
    conversation.send(Buffer.from('\0GET / HTTP/1.0\r\n\r\n'));
    // two headers, then either the answer on channel 0 or the refusal on channel 1
    await conversation.frameCount(3);
    const answered = conversation.frames[2]![0] === 0;
    conversation.end();
    if (answered) return;
    await sleep(50);
  }
  throw new Error(`${pod} does not listen`);
}

function exchange(name: string): Exchange {
  return exchanges.get(name)!;
}

/** Opens the recorded request and sends the recorded frames at their recorded times. */
async function replay(name: string, client = admin): Promise<Conversation> {
  const { path, protocols, frames } = exchange(name);
  const conversation = await converse(client, path, protocols);
  const begin = Date.now();
  for (const frame of frames) {
    if (frame.from !== 'client') continue;
    await sleep(Math.max(0, frame.ms - (Date.now() - begin)));
    if (frame.close) conversation.close();
    else conversation.send(Buffer.from(frame.hex!, 'hex'));
  }
  return conversation;
}

/** Frames with the bytes that are drawn or measured taken out, chunks of a channel that followed each other joined. */
function joined(frames: readonly { channel: number; text: string }[]): string[] {
  const result: { channel: number; text: string }[] = [];
  for (const frame of frames) {
    const last = result.at(-1);
    if (last && last.channel === frame.channel && result.length > 1 && frame.text && last.text) last.text += frame.text;
    else result.push({ ...frame });
  }
  return result.map(({ channel, text }) => `${channel} ${plain(text)}`);
}

function plain(text: string): string {
  return text
    .replace(/Date: [^\r]+/g, 'Date: D')
    .replace(/\b[0-9a-f]{64}\b/g, 'ID')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID');
}

const recordedFrames = (name: string) =>
  exchange(name)
    .frames.filter(({ from }) => from === 'server')
    .map(({ hex }) => Buffer.from(hex!, 'hex'))
    .map((bytes) => ({ channel: bytes[0]!, text: bytes.toString('latin1', 1) }));
const seenFrames = ({ frames }: Conversation) =>
  frames.map((bytes) => ({ channel: bytes[0]!, text: bytes.toString('latin1', 1) }));

describe('frames and close, byte for byte', () => {
  it.each([
    'portforward-http-get',
    'portforward-protocol-list-like-client-node',
    'portforward-client-closes',
    'exec-stdout-exit-0',
    'exec-exit-3',
    'exec-v4-exit-3',
    'exec-stdin-close-v5',
    'exec-node-via-proc-exe',
    'exec-container-dies-mid-stream',
  ])('%s', async (name) => {
    const conversation = await replay(name);
    const closed = await conversation.closed;
    expect(conversation.protocol).toBe(exchange(name).acceptedProtocol);
    const [seen, recorded] = [joined(seenFrames(conversation)), joined(recordedFrames(name))];
    // which of stdout and stderr is first is a race between two pipes
    if (name === 'exec-stdout-exit-0') expect(seen.sort()).toEqual(recorded.sort());
    else expect(seen).toEqual(recorded);
    expect(closed.code).toBe(exchange(name).close!.code);
  });

  it.each(['portforward-connection-refused', 'portforward-two-ports', 'exec-command-not-found'])('%s', async (name) => {
    const conversation = await replay(name);
    const closed = await conversation.closed;
    const recorded = exchange(name).frames.filter(({ from }) => from === 'server');
    expect(conversation.frames.length).toBe(recorded.length);
    let { frames } = conversation;
    if (name === 'portforward-two-ports') {
      // which port answers first is a race between two connections
      frames = frames.toSorted((a, b) => a[0]! - b[0]!);
      recorded.sort((a, b) => a.hex!.slice(0, 2).localeCompare(b.hex!.slice(0, 2)));
    }
    for (const [i, { hex, bytes }] of recorded.entries()) {
      const frame = frames[i]!;
      const [start] = hex!.split('…');
      const shown = plain(Buffer.from(start!, 'hex').toString('latin1'));
      // the recording is cut at 256 bytes and counts the rest: same start, same length
      const cut = hex!.includes('…');
      const seen = plain(frame.subarray(0, start!.length / 2).toString('latin1'));
      expect(seen).toBe(shown);
      if (!/Date/.test(shown)) expect(frame.length, frame.toString()).toBe(bytes);
      if (cut && name.startsWith('portforward')) expect(frame.toString()).toContain('connection refused');
    }
    expect(closed.code).toBe(1000);
  });

  it('a refused connection closes at once, an ended one about a second later', async () => {
    const order: string[] = [];
    const closing = ['portforward-http-get', 'portforward-connection-refused'].map(async (name) => {
      await (await replay(name)).closed;
      order.push(name);
    });
    await Promise.all(closing);
    expect(order).toEqual(['portforward-connection-refused', 'portforward-http-get']);
    const conversation = await replay('portforward-http-get');
    const ended = conversation.lastFrame();
    await conversation.closed;
    expect(Date.now() - (await ended)).toBeGreaterThan(700);
  });

  it('exec-tar: the archive and the notice, on their channels', async () => {
    const conversation = await replay('exec-tar');
    expect((await conversation.closed).code).toBe(1000);
    const of = (channel: number) =>
      Buffer.concat(conversation.frames.filter((f) => f[0] === channel).map((f) => f.subarray(1)));
    expect(conversation.frames[0]).toEqual(Buffer.from([1]));
    expect(of(1).toString('latin1', 0, 11)).toBe('etc/passwd\0');
    // the words are those of whatever tar the machine has
    expect(of(2).toString()).toMatch(/emoving leading .\/. from member names\n$/);
    expect(of(3).toString()).toBe('{"metadata":{},"status":"Success"}');
    expect(recordedFrames('exec-tar').map(({ channel }) => channel)).toEqual([1, 2, 1, 3]);
  });
});

describe('refusals before the handshake', () => {
  it.each([
    'portforward-pod-not-found',
    'portforward-pod-pending',
    'portforward-pod-completed',
    'portforward-bad-port',
    'portforward-no-port',
    'exec-container-not-found',
    'exec-needs-container-name',
  ])('%s', async (name) => {
    const { rejected } = await replay(name);
    expect(rejected).toEqual(exchange(name).rejected);
    expect(normalized(rejected)).toBe(normalized(exchange(name).rejected));
  });

  it.each([
    ['portforward-forbidden', 'nobody'],
    ['portforward-get-without-create', 'getonly'],
    ['exec-get-without-create', 'getonly'],
  ] as const)('%s', async (name, user) => {
    const { rejected } = await replay(name, as[user]);
    expect(normalized(rejected)).toBe(normalized(exchange(name).rejected));
  });

  it('portforward-no-subprotocol: a subprotocol is answered that was not asked for', async () => {
    const conversation = await replay('portforward-no-subprotocol');
    expect(conversation.error).toBe(exchange('portforward-no-subprotocol').error);
  });
});

it('portforward-pod-killed-mid-stream: nothing more and no close', async () => {
  const recorded = exchange('portforward-pod-killed-mid-stream');
  const conversation = await converse(admin, recorded.path, recorded.protocols);
  conversation.send(Buffer.from(recorded.frames[2]!.hex!, 'hex'));
  await conversation.received(1024 * 1024);
  const data = conversation.frames.filter((frame) => frame[0] === 0 && frame.length > 3);
  // at most 32 KiB behind the channel byte, as recorded
  expect(Math.max(...data.map((frame) => frame.length))).toBe(recorded.frames[3]!.bytes);
  await admin.request('DELETE', `${podsPath}/big-0?gracePeriodSeconds=0`);
  await sleep(500);
  const count = conversation.frames.length;
  const outcome = await Promise.race([conversation.closed, sleep(2500).then(() => 'open')]);
  expect([outcome, conversation.frames.length]).toEqual(['open', count]);
  conversation.end();
});

it('every recorded exchange is replayed above', () => {
  const here = [...exchanges.keys()].filter((name) => !replayed.has(name));
  expect(here).toEqual([]);
});

const replayed = new Set([
  'portforward-http-get',
  'portforward-protocol-list-like-client-node',
  'portforward-connection-refused',
  'portforward-two-ports',
  'portforward-pod-not-found',
  'portforward-pod-pending',
  'portforward-pod-completed',
  'portforward-bad-port',
  'portforward-no-port',
  'portforward-forbidden',
  'portforward-no-subprotocol',
  'portforward-client-closes',
  'exec-stdout-exit-0',
  'exec-exit-3',
  'exec-v4-exit-3',
  'exec-command-not-found',
  'exec-stdin-close-v5',
  'exec-tar',
  'exec-node-via-proc-exe',
  'exec-container-not-found',
  'exec-needs-container-name',
  'portforward-get-without-create',
  'exec-get-without-create',
  'portforward-pod-killed-mid-stream',
  'exec-container-dies-mid-stream',
]);
