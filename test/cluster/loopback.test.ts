/** A machine without namespaces: pods apart by loopback addresses. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { converse } from './conversation.ts';

let cluster: Cluster;
let admin: Client;
const podsPath = '/api/v1/namespaces/default/pods';

beforeAll(async () => {
  cluster = await startCluster({ isolation: 'loopback' });
  admin = openClient(cluster.kubeconfig);
});
afterAll(() => cluster?.stop());

async function get(pod: string): Promise<string> {
  const conversation = await converse(admin, `${podsPath}/${pod}/portforward?ports=8848`, ['v4.channel.k8s.io']);
  conversation.send(Buffer.from('\0GET / HTTP/1.0\r\n\r\n'));
  await conversation.frameCount(3);
  conversation.end();
  return String(conversation.frames[2]);
}

it('pods have one 127.0.0.1:8848 each, files from ConfigMaps, exec and an end', async () => {
  expect(cluster.isolation).toBe('loopback');
  await admin.create('/api/v1/namespaces/default/configmaps', {
    metadata: { name: 'code' },
    data: {
      'serve.js':
        "require('http').createServer((q, s) => s.end(process.env.WHO)).listen(8848, '127.0.0.1', () => console.log('up'))",
    },
  });
  for (const name of ['one', 'two'])
    await admin.create(podsPath, {
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'code', configMap: { name: 'code' } }],
        containers: [
          {
            name: 'app',
            image: 'nodeops.test/distroless:22',
            args: ['/code/serve.js'],
            env: [{ name: 'WHO', value: `pod ${name}` }],
            volumeMounts: [{ name: 'code', mountPath: '/code' }],
          },
        ],
      },
    });
  for (const name of ['one', 'two']) {
    await admin.until(`${podsPath}/${name}`, ({ status }) => status.phase === 'Running');
    await admin.until(`${podsPath}/${name}/log`, (body) => body === 'up\n');
    expect(await get(name)).toContain(`pod ${name}`);
  }
  const exec = await converse(
    admin,
    `${podsPath}/one/exec?command=/proc/1/exe&command=-p&command=process.version&stdout=true`,
    ['v5.channel.k8s.io'],
  );
  await exec.closed;
  expect(exec.frames.map(String).join('')).toMatch(/v22\./);
  await admin.delete(`${podsPath}/one?gracePeriodSeconds=0`);
  expect((await admin.request('GET', `${podsPath}/one`)).status).toBe(404);
  expect(await get('two')).toContain('pod two');
});
