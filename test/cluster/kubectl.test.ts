/** The real kubectl against the embedded cluster: what the end-to-end tests do, and what a person would type. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectlPath } from '../binaries/kubectl.ts';
import type { Json } from './api/types.ts';
import { type Client, openClient } from './client.ts';
import { type Cluster, startCluster } from './cluster.ts';

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where we are not root ourselves, all pods run as the one user that there is. */
const userOf = (asked: number) => (process.getuid?.() === 0 ? asked : 0);

let cluster: Cluster;
let binary: string;
let admin: Client;

beforeAll(async () => {
  binary = await kubectlPath();
  cluster = await startCluster({ crashBackoffMs: 500 });
  admin = openClient(cluster.kubeconfig);
});
afterAll(() => cluster?.stop());

function kubectl(args: string[], input = ''): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, ['--kubeconfig', cluster.kubeconfig, ...args], { timeout: 40_000 });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject).on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin.on('error', () => {}).end(input);
  });
}

/** Fails the test unless kubectl exits with 0. */
async function must(args: string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await kubectl(args, input);
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
}

const create = (...items: Json[]) =>
  must(['create', '--validate=false', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));

function pod(name: string, spec: Json = {}, metadata: Json = {}): Json {
  const {
    containers = [{ name: 'app', image: 'nodeops.test/node:24', args: ['-e', 'setInterval(() => {}, 1000)'] }],
    ...rest
  } = spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...metadata },
    spec: { terminationGracePeriodSeconds: 1, containers, ...rest },
  };
}

const ready = (name: string) => must(['wait', '--for=condition=Ready', '--timeout=30s', `pod/${name}`]);

describe('objects', () => {
  it('version, api-resources, namespaces, and a shell’s worth of get', async () => {
    expect(await must(['version'])).toContain('Server Version: v1.36.2');
    const kinds = await must(['api-resources', '-o', 'name']);
    for (const name of ['pods', 'deployments.apps', 'jobs.batch', 'roles.rbac.authorization.k8s.io'])
      expect(kinds).toContain(name);
    await must(['create', 'namespace', 'spare']);
    expect(await must(['get', 'namespaces', '-o', 'name'])).toContain('namespace/spare');
    expect(await must(['get', 'serviceaccounts', '-n', 'spare', '-o', 'name'])).toBe('serviceaccount/default\n');
    expect(await must(['get', 'nodes'])).toContain('node1');
    await must(['delete', 'namespace', 'spare', '--timeout=20s']);
    expect((await kubectl(['get', 'namespace', 'spare'])).stderr).toContain('namespaces "spare" not found');
  });

  it('apply creates, changes and leaves alone', async () => {
    const map = (data: Json) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });
    const apply = (text: string) => must(['apply', '--validate=false', '-f', '-'], text);
    expect(await apply(map({ a: '1', b: '2' }))).toBe('configmap/settings created\n');
    expect(await apply(map({ a: '1', b: '2' }))).toBe('configmap/settings unchanged\n');
    expect(await apply(map({ a: '3' }))).toBe('configmap/settings configured\n');
    expect(JSON.parse(await must(['get', 'configmap', 'settings', '-o', 'json'])).data).toEqual({ a: '3' });
    const again = await kubectl(['create', '--validate=false', '-f', '-'], map({}));
    expect(again.stderr).toContain('configmaps "settings" already exists');
    await must(['annotate', 'configmap', 'settings', 'note=yes']);
    await must([
      'patch',
      'configmap',
      'settings',
      '--type=json',
      '-p',
      '[{"op":"replace","path":"/data/a","value":"4"}]',
    ]);
    await must(['label', 'configmap', 'settings', 'tier=front']);
    expect(await must(['get', 'configmap', '-l', 'tier in (front,back)', '-o', 'jsonpath={.items[*].data.a}'])).toBe(
      '4',
    );
    const bad = await kubectl(['create', '--validate=false', '-f', '-'], JSON.stringify(pod('Bad_Name')));
    expect(bad.stderr).toContain(
      'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist',
    );
    expect(await must(['apply', '--server-side', '--force-conflicts', '-f', '-'], map({ a: '5' }))).toBe(
      'configmap/settings serverside-applied\n',
    );
    // without --validate=false the schemas are asked for
    const strange = await kubectl(['create', '-f', '-'], JSON.stringify(pod('strange', { colour: 'red' })));
    expect(strange.stderr).toContain('strict decoding error: unknown field "spec.colour"');
  });

  it('lists in pages and refuses bad selectors', async () => {
    for (let i = 0; i < 5; i++)
      await admin.create('/api/v1/namespaces/default/secrets', { metadata: { name: `s${i}` } });
    expect((await must(['get', 'secrets', '--chunk-size=2', '-o', 'name'])).trim().split('\n')).toHaveLength(5);
    const first = await admin.get('/api/v1/namespaces/default/secrets?limit=2');
    expect([first.items.length, first.metadata.remainingItemCount]).toEqual([2, 3]);
    const { stderr } = await kubectl(['get', 'pods', '--field-selector', 'spec.image=x']);
    expect(stderr).toContain('field label not supported: spec.image');
    expect((await kubectl(['get', 'pods', '-l', 'a=b=c'])).stderr).toContain(
      "found '=', expected: ',' or 'end of string'",
    );
  });

  it('says who may what', async () => {
    expect(await must(['auth', 'can-i', 'create', 'pods/portforward'])).toBe('yes\n');
    expect(await must(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'])).toBe('admin');
    await must(['create', 'serviceaccount', 'reader']);
    await must(['create', 'role', 'reader', '--verb=get,list', '--resource=pods', '--resource-name=only']);
    await must(['create', 'rolebinding', 'reader', '--role=reader', '--serviceaccount=default:reader']);
    const token = (await must(['create', 'token', 'reader'])).trim();
    const as = ['--as=system:serviceaccount:default:reader'];
    expect(await must(['auth', 'can-i', 'get', 'pods/only', ...as])).toBe('yes\n');
    expect((await kubectl(['auth', 'can-i', 'get', 'pods/other', ...as])).stdout).toBe('no\n');
    expect(await must(['auth', 'can-i', '--list', ...as])).toContain('[only]');
    const refused = await admin.withToken(token).request('GET', '/api/v1/namespaces/default/pods/other');
    expect(refused.body.message).toBe(
      'pods "other" is forbidden: User "system:serviceaccount:default:reader" cannot get resource "pods" in API group "" in the namespace "default"',
    );
    expect((await admin.withToken(token).request('GET', '/api/v1/namespaces/default/pods/only')).status).toBe(404);
    // tokens end with their account
    await must(['delete', 'serviceaccount', 'reader']);
    expect((await admin.withToken(token).request('GET', '/version')).status).toBe(401);
  });
});

describe('pods', () => {
  it('exec, logs, describe, cp', async () => {
    const script = `console.log('hello'); require('http').createServer().listen(8848, '127.0.0.1')`;
    await create(pod('a', { containers: [{ name: 'app', image: 'nodeops.test/node:22', args: ['-e', script] }] }));
    await ready('a');
    expect(await must(['exec', 'a', '--', 'sh', '-c', 'echo $HOSTNAME; cat'])).toBe('a\n');
    expect(await must(['exec', '-i', 'a', '--', 'cat'], 'through stdin')).toBe('through stdin');
    expect((await kubectl(['exec', 'a', '--', 'sh', '-c', 'exit 7'])).code).toBe(7);
    expect(await must(['exec', 'a', '--', 'node', '-p', 'process.version'])).toMatch(/^v22\./);
    await expect.poll(() => must(['logs', 'a']), { timeout: 10_000 }).toBe('hello\n');
    expect(await must(['describe', 'pod', 'a'])).toContain('Successfully assigned default/a to node1');
    const missing = await kubectl(['exec', 'a', '--', 'nothing-like-this']);
    expect(missing.stderr).toContain('exec: "nothing-like-this": executable file not found in $PATH');
  });

  it('each has its own 127.0.0.1, its own pid 1 and its own files', async () => {
    const serve = `require('http').createServer((q, s) => s.end(require('os').hostname() + ' ' + process.pid)).listen(8848, '127.0.0.1')`;
    const container = { name: 'app', image: 'nodeops.test/distroless:24', args: ['-e', serve] };
    await create(pod('one', { containers: [container] }), pod('two', { containers: [container] }));
    await Promise.all([ready('one'), ready('two')]);
    const ask = `require('http').get('http://127.0.0.1:8848', r => r.pipe(process.stdout)).on('error', e => console.log(e.code))`;
    for (const name of ['one', 'two'])
      await expect
        .poll(() => must(['exec', name, '--', '/nodejs/bin/node', '-e', ask]), { timeout: 10_000 })
        .toBe(`${name} 1`);
    const look = `console.log(JSON.stringify([fs.readdirSync('/proc').filter(n => +n).length, fs.existsSync('/bin/sh'), process.getuid(), fs.existsSync(process.argv[1])]))`;
    expect(JSON.parse(await must(['exec', 'one', '--', '/nodejs/bin/node', '-e', look, import.meta.filename]))).toEqual(
      [2, false, userOf(1000), false],
    );
    expect(
      JSON.parse(
        await must([
          'exec',
          'one',
          '--',
          '/proc/1/exe',
          '-p',
          'fs.readFileSync("/proc/1/cmdline","utf8").split("\\0").length > 2',
        ]),
      ),
    ).toBe(true);
  });

  it('configMaps, emptyDirs, a read-only root, fields in the environment, an init container', async () => {
    await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'files' }, data: { 'greeting.txt': 'hi' } });
    const shared = { name: 'shared', mountPath: '/shared' };
    await create(
      pod('mounts', {
        volumes: [
          { name: 'files', configMap: { name: 'files' } },
          { name: 'shared', emptyDir: { sizeLimit: '1Mi' } },
        ],
        initContainers: [
          {
            name: 'init',
            image: 'nodeops.test/node:24',
            command: ['sh', '-c', 'echo made > /shared/made'],
            volumeMounts: [shared],
          },
        ],
        containers: [
          {
            name: 'app',
            image: 'nodeops.test/node:24',
            args: ['-e', 'setInterval(() => {}, 1000)'],
            workingDir: '/app',
            env: [
              { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'BOTH', value: '$(POD)-x' },
            ],
            securityContext: { readOnlyRootFilesystem: true, runAsUser: 1234 },
            volumeMounts: [shared, { name: 'files', mountPath: '/files' }],
          },
        ],
      }),
    );
    await ready('mounts');
    const run = (script: string) => kubectl(['exec', 'mounts', '--', 'sh', '-c', script]);
    expect((await run('cat /files/greeting.txt /shared/made; echo $BOTH; pwd; id -u')).stdout).toBe(
      `himade\nmounts-x\n/app\n${userOf(1234)}\n`,
    );
    expect((await run('touch /here')).stderr).toContain('Read-only file system');
    expect((await run('touch /files/x')).code).not.toBe(0);
    expect((await run('head -c 3000000 /dev/zero > /shared/big')).stderr).toContain('No space left');
  });

  it('a crash is shown, waits and restarts; a pod without a node is pending', async () => {
    const crash = {
      name: 'app',
      image: 'nodeops.test/node:24',
      args: ['-e', 'console.error("boom"); process.exit(3)'],
    };
    await create(pod('crash', { containers: [crash] }), pod('nowhere', { nodeSelector: { disk: 'ssd' } }));
    await expect.poll(() => must(['get', 'pod', 'crash']), { timeout: 15_000 }).toMatch(/CrashLoopBackOff +[2-9] \(/);
    expect(await must(['logs', 'crash', '--previous'])).toBe('boom\n');
    const state = await must([
      'get',
      'pod',
      'crash',
      '-o',
      'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}',
    ]);
    expect(state).toBe('3');
    expect(await must(['get', 'pod', 'nowhere', '-o', 'jsonpath={.status.phase},{.spec.nodeName}'])).toBe('Pending,');
  });

  it('readiness and liveness probes', async () => {
    const script = `let ok = true; require('http').createServer((q, s) => { s.statusCode = fs.existsSync('/tmp/bad') ? 500 : 200; s.end() }).listen(3000)`;
    const probe = { httpGet: { path: '/', port: 'http' }, periodSeconds: 1, failureThreshold: 1 };
    const container = {
      name: 'app',
      image: 'nodeops.test/node:24',
      args: ['-e', script],
      ports: [{ name: 'http', containerPort: 3000 }],
    };
    await create(
      pod('probed', {
        containers: [
          {
            ...container,
            readinessProbe: probe,
            livenessProbe: { ...probe, initialDelaySeconds: 2, failureThreshold: 2 },
          },
        ],
      }),
    );
    await ready('probed');
    await must(['exec', 'probed', '--', 'touch', '/tmp/bad']);
    await must(['wait', '--for=condition=Ready=false', '--timeout=20s', 'pod/probed']);
    await expect
      .poll(() => must(['get', 'pod', 'probed', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}']), {
        timeout: 20_000,
      })
      .toBe('1');
    await ready('probed');
  });
});

describe('workloads', () => {
  const template = (labels: Json, more: Json = {}) => ({
    metadata: { labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'app', image: 'nodeops.test/node:24', args: ['-e', 'setInterval(() => {}, 1000)'] }],
      ...more,
    },
  });
  const workload = (kind: string, name: string, spec: Json = {}) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template: template({ app: name }), ...spec },
  });

  it('a Deployment scales, rolls out and is collected', async () => {
    await create(workload('Deployment', 'web', { replicas: 2 }));
    await must(['rollout', 'status', 'deployment/web', '--timeout=30s']);
    await must(['scale', 'deployment/web', '--replicas=3']);
    await must(['rollout', 'status', 'deployment/web', '--timeout=30s']);
    expect((await must(['get', 'pods', '-l', 'app=web', '-o', 'name'])).trim().split('\n')).toHaveLength(3);
    await must(['set', 'env', 'deployment/web', 'COLOUR=blue']);
    await must(['rollout', 'status', 'deployment/web', '--timeout=40s']);
    expect(await must(['exec', 'deployment/web', '--', 'sh', '-c', 'echo $COLOUR'])).toBe('blue\n');
    expect((await must(['get', 'rs', '-l', 'app=web', '-o', 'name'])).trim().split('\n')).toHaveLength(2);
    await must(['delete', 'deployment', 'web']);
    await must(['wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=20s']);
    expect(await must(['get', 'rs', '-l', 'app=web', '-o', 'name'])).toBe('');
  });

  it('a StatefulSet numbers its pods, a DaemonSet has one, a Job ends', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'once' },
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [{ name: 'app', image: 'nodeops.test/node:24', args: ['-e', 'console.log("done")'] }],
          },
        },
      },
    };
    await create(workload('StatefulSet', 'db', { replicas: 2, serviceName: 'db' }), workload('DaemonSet', 'each'), job);
    await must(['rollout', 'status', 'statefulset/db', '--timeout=30s']);
    await must(['rollout', 'status', 'daemonset/each', '--timeout=30s']);
    expect(await must(['get', 'pods', '-l', 'app=db', '-o', 'name'])).toBe('pod/db-0\npod/db-1\n');
    await must(['wait', '--for=condition=Complete', '--timeout=20s', 'job/once']);
    expect(await must(['logs', 'job/once'])).toBe('done\n');
    expect(await must(['get', 'job', 'once'])).toMatch(/Complete +1\/1/);
  });
});
