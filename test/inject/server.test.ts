import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { applyPatch } from 'rfc6902';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { webhookLimits } from '../../src/inject/limits.ts';
import { startWebhook, type Webhook } from '../../src/inject/server.ts';
import { readSettings } from '../../src/inject/settings.ts';
import { type ChartFiles, chartFiles, post } from './webhook.ts';

const recorded = JSON.parse(readFileSync('test/fixtures/admission/reviews.json', 'utf8')) as {
  // biome-ignore lint/suspicious/noExplicitAny: as recorded
  body: any;
}[];
const asking = (() => {
  const review = structuredClone(recorded[0]!.body);
  review.request.object.metadata.annotations['nodeops.dev/inject'] = 'true';
  return review;
})();

let files: ChartFiles;
let webhook: Webhook;
const log: string[] = [];
const send = (body: unknown, path = '/mutate', options = {}) =>
  post(files, webhook.port, path, typeof body === 'string' ? body : JSON.stringify(body), options);
const health = async (path: string) => {
  const response = await fetch(`http://127.0.0.1:${webhook.healthPort}${path}`, {
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: await response.text() };
};

beforeAll(async () => {
  files = await chartFiles();
  webhook = await startWebhook({
    settings: await readSettings(files.settings),
    certificateFolder: files.folder,
    port: 0,
    healthPort: 0,
    certificatePollMs: 50,
    log: (line) => log.push(line),
  });
  await vi.waitFor(async () => expect((await health('/readyz')).status).toBe(200), { timeout: 30_000 });
});
afterAll(async () => {
  await webhook.stop(0);
  await files.remove();
});

describe('a review', () => {
  it('of a recorded pod that asks is answered with a patch that injects it', async () => {
    const { status, body } = await send(asking, '/mutate?timeout=2s');
    expect(status).toBe(200);
    const { apiVersion, kind, response } = JSON.parse(body);
    expect({ apiVersion, kind }).toEqual({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
    expect(response).toMatchObject({ uid: asking.request.uid, allowed: true, patchType: 'JSONPatch' });
    const pod = structuredClone(asking.request.object);
    const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString());
    expect(applyPatch(pod, patch).filter((error) => error !== null)).toEqual([]);
    expect(pod.spec.containers[0].env[0]).toEqual({
      name: 'NODE_OPTIONS',
      value: '--max-old-space-size=100 --require=/nodeops/agent/preload.cjs',
    });
    expect(pod.spec.containers[0].volumeMounts[0]).toEqual(asking.request.object.spec.containers[0].volumeMounts[0]);
    expect(pod.spec.initContainers[0].name).toBe('nodeops-agent');
  });

  it.each(recorded.map(({ body }) => [body.request.uid, body]))(
    '%s as recorded is let through as it is',
    async (uid, body) => {
      const { response } = JSON.parse((await send(body)).body);
      expect(response).toEqual({ uid, allowed: true });
    },
  );

  it('of a pod whose lists are null is answered like one without them', async () => {
    const review = structuredClone(asking);
    review.request.object.spec.initContainers = null;
    review.request.object.spec.volumes = null;
    review.request.object.spec.containers = [{ name: 'api', image: 'app', env: null, volumeMounts: null, ports: null }];
    const { response } = JSON.parse((await send(review)).body);
    const { spec } = review.request.object;
    const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString());
    expect(applyPatch({ spec, metadata: { annotations: {} } }, patch).filter((error) => error !== null)).toEqual([]);
    expect(spec.containers[0].env[0]).toEqual({ name: 'NODE_OPTIONS', value: '--require=/nodeops/agent/preload.cjs' });
    expect(spec.volumes[0].name).toBe('nodeops-agent');
  });

  it('for a namespace that asks injects pods that say nothing', async () => {
    const { response } = JSON.parse((await send(recorded[0]!.body, '/mutate-namespace')).body);
    expect(response.patchType).toBe('JSONPatch');
  });

  it('says in warnings what was left alone', async () => {
    const review = structuredClone(asking);
    review.request.object.spec.hostNetwork = true;
    const { response } = JSON.parse((await send(review)).body);
    expect(response.warnings).toEqual([
      'nodeops: pod: host network, where the port would be open to every process of the node',
    ]);
  });

  it.each([
    [
      'of another kind',
      (request: Record<string, unknown>) =>
        (request.resource = { group: 'apps', version: 'v1', resource: 'deployments' }),
    ],
    ['of an update', (request: Record<string, unknown>) => (request.operation = 'UPDATE')],
    ['of a subresource', (request: Record<string, unknown>) => (request.subResource = 'ephemeralcontainers')],
    ['without containers', (request: Record<string, unknown>) => (request.object = { spec: {} })],
    [
      'with nonsense in it',
      (request: Record<string, unknown>) => (request.object = { spec: { containers: [{ name: 'a', env: 7 }] } }),
    ],
  ])('%s is let through as it is', async (_, change) => {
    const review = structuredClone(asking);
    change(review.request);
    expect(JSON.parse((await send(review)).body).response).toEqual({ uid: review.request.uid, allowed: true });
  });
});

describe('what is no review', () => {
  it.each([
    ['no JSON', '{', '/mutate', {}, 400],
    ['another version', JSON.stringify({ ...asking, apiVersion: 'admission.k8s.io/v1beta1' }), '/mutate', {}, 400],
    ['no request', JSON.stringify({ ...asking, request: null }), '/mutate', {}, 400],
    ['no object at all', 'null', '/mutate', {}, 400],
    ['another type', JSON.stringify(asking), '/mutate', { type: 'text/plain' }, 415],
    ['another method', '', '/mutate', { method: 'GET' }, 405],
    ['another path', JSON.stringify(asking), '/', {}, 404],
  ])('%s is refused', async (_, body, path, options, status) => {
    const reply = await send(body, path, options);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatch(/review|body/i);
  });

  it('a body beyond the limit is refused, and the next review is answered', async () => {
    const reply = await send(' '.repeat(webhookLimits.bodyBytes + 1)).catch((error) => ({
      status: String(error.code),
      body: '',
    }));
    expect([413, 'EPIPE', 'ECONNRESET']).toContain(reply.status);
    expect((await send(asking)).status).toBe(200);
  });

  it('garbage instead of TLS harms nobody', async () => {
    const socket = connect(webhook.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
    socket.write('\x00garbage\r\n\r\n');
    await closed;
    expect((await send(asking)).status).toBe(200);
  });
});

it.each([
  ['says nothing', () => connect(webhook.port, '127.0.0.1')],
  [
    'sends half a head',
    () => {
      const { port } = webhook;
      const socket = connectTls({ host: '127.0.0.1', port, ca: files.ca, servername: files.serverName });
      socket.write('POST /mutate HTTP/1.1\r\nhost: ');
      return socket;
    },
  ],
  [
    'sends half a body',
    () => {
      const { port } = webhook;
      const socket = connectTls({ host: '127.0.0.1', port, ca: files.ca, servername: files.serverName });
      socket.write(
        'POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
      );
      return socket;
    },
  ],
])('a client that %s is sent away', { timeout: 60_000 }, async (_, open) => {
  const socket = open();
  socket.on('error', () => {});
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  expect((await send(asking)).status).toBe(200);
});

it('a thousand reviews, two hundred at once, are all answered', async () => {
  const replies: string[] = [];
  for (let round = 0; round < 5; round++)
    replies.push(
      ...(await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const review = structuredClone(asking);
          review.request.uid = `uid-${round}-${index}`;
          return JSON.parse((await send(review)).body).response.uid;
        }),
      )),
    );
  expect(new Set(replies).size).toBe(1_000);
});

it('metrics count outcomes and show when the certificate ends', async () => {
  const { body } = await health('/metrics');
  const metric = (name: string) => Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (.+)$`, 'm').exec(body)?.[1]);
  expect(metric('nodeops_inject_reviews_total{outcome="injected"}')).toBeGreaterThanOrEqual(1_000);
  expect(metric('nodeops_inject_reviews_total{outcome="left-alone"}')).toBe(1);
  expect(metric('nodeops_inject_reviews_total{outcome="bad-request"}')).toBeGreaterThanOrEqual(7);
  expect(metric('nodeops_inject_certificate_expiry_timestamp_seconds')).toBeGreaterThan(
    Date.now() / 1_000 + 4 * 365 * 86_400,
  );
  const counts = [...body.matchAll(/^nodeops_inject_reviews_total\S+ (\d+)$/gm)].map(([, count]) => Number(count));
  expect(metric('nodeops_inject_review_duration_seconds_count')).toBe(counts.reduce((sum, count) => sum + count, 0));
});

it('a new certificate is taken up while serving, a broken one is not', async () => {
  const next = await chartFiles();
  await expect(post(next, webhook.port, '/mutate', JSON.stringify(asking))).rejects.toThrow(
    /self-signed|unable to verify/,
  );
  await copyFile(join(next.folder, 'tls.key'), join(files.folder, 'tls.key'));
  await vi.waitFor(() => expect(log.join('\n')).toMatch(/cannot be used.*key values mismatch/i), { timeout: 30_000 });
  expect((await send(asking)).status).toBe(200);
  await copyFile(join(next.folder, 'tls.crt'), join(files.folder, 'tls.crt'));
  await vi.waitFor(
    async () => expect((await post(next, webhook.port, '/mutate', JSON.stringify(asking))).status).toBe(200),
    {
      timeout: 30_000,
    },
  );
  files = { ...files, ca: next.ca };
  await next.remove();
});

it('says nothing about pods in its log', () => {
  expect(log.join('\n')).not.toMatch(/rec1|max-old-space-size/);
});
