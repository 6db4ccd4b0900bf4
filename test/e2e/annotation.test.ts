/**
 * From `helm install` to `kubectl nodeops stats`: the chart as it is, the real helm and kubectl, one annotation on a Deployment.
 * Either engine, and either way in which the agent's files reach a pod.
 */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { chart, helm } from '../helm/helm.ts';
import { type Bed, openBed } from './bed.ts';
import { noImage, type OwnImage, ownImage } from './image.ts';
import { container, healthy, pod } from './pods.ts';

interface PodObject {
  metadata: { name: string; annotations?: Record<string, string>; deletionTimestamp?: string };
  spec: {
    containers: { name: string; env?: { name: string; value?: string }[]; volumeMounts?: { name: string }[] }[];
    initContainers?: { name: string }[];
    volumes?: { name: string }[];
  };
}

const release = `nodeops-e2e-${randomBytes(3).toString('hex')}`;
const inject = { 'nodeops.dev/inject': 'true' };
const clusterKinds =
  'mutatingwebhookconfigurations,mutatingadmissionpolicies,mutatingadmissionpolicybindings,clusterroles,clusterrolebindings';
let bed: Bed;
let image: OwnImage;

/** For a hook or a test: longer than anything it waits for. */
const patienceMs = 300_000;
/** Without namespaces the embedded cluster has no file systems for images, and replicas no ports of their own. */
const cannotRun = () => bed.cluster?.isolation === 'loopback';

async function must(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await bed.kubectl(args, {
    timeoutMs: 150_000,
    ...(input === undefined ? {} : { input }),
  });
  expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
}

const inRelease = ['-n', release];
const runHelm = (command: string, ...args: string[]) =>
  helm(command, release, ...args, '-n', release, '--kubeconfig', bed.kubeconfig);

/** A pod without any trace of nodeops, with an annotation or without. */
function plain(name: string, annotations: object = {}, env: object[] = []): object {
  const bare = { ...container(bed, { script: healthy, agent: false }), env, volumeMounts: [] };
  const { metadata, ...rest } = pod(name, [bare], { volumes: [] }) as { metadata: object };
  return { ...rest, metadata: { ...metadata, annotations } };
}

function deployment(name: string, annotations: object): object {
  const { spec } = plain(name) as { spec: object };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name }, annotations }, spec },
    },
  };
}

const rolledOut = (name: string) => must(['rollout', 'status', `deployment/${name}`, '--timeout=120s']);

async function podsOf(app: string): Promise<PodObject[]> {
  const { items } = JSON.parse(await must(['get', 'pods', '-l', `app=${app}`, '-o', 'json'])) as { items: PodObject[] };
  return items.filter(({ metadata }) => !metadata.deletionTimestamp);
}

/** What `kubectl nodeops stats` prints. A container counts as ready before the app in it has come up, so it is asked until it answers. */
async function stats(target: string): Promise<string> {
  const ask = async () => {
    const { code, stdout, stderr } = await bed.nodeops(['stats', target]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };
  return vi.waitFor(ask, { timeout: 60_000, interval: 200 });
}

async function endingPods(): Promise<number> {
  const { items } = JSON.parse(await must(['get', 'pods', '-o', 'json'])) as { items: PodObject[] };
  return items.filter(({ metadata }) => metadata.deletionTimestamp).length;
}

/** Creates it in a server-side dry run and returns it as admitted. */
async function admitted(object: object): Promise<PodObject> {
  return JSON.parse(await must(['create', '--dry-run=server', '-o', 'json', '-f', '-'], JSON.stringify(object)));
}

const isInjected = ({ metadata }: PodObject) => metadata.annotations?.['nodeops.dev/injected'] !== undefined;
const ours = ({ spec }: PodObject) =>
  (spec.volumes ?? []).map(({ name }) => name).filter((name) => /^nodeops/.test(name));

/** An injector takes effect, or ceases to, some time after its objects have come or gone. */
function untilInjected(expected: boolean): Promise<void> {
  const probe = plain('probe', inject);
  const check = async () => expect(isInjected(await admitted(probe))).toBe(expected);
  return vi.waitFor(check, { timeout: 60_000, interval: 200 });
}

/** Creates it anew, whatever an earlier attempt has left. */
async function create(object: object): Promise<string> {
  const input = JSON.stringify(object);
  await must(['delete', '--ignore-not-found', '-f', '-'], input);
  const { code, stderr } = await bed.kubectl(['create', '-f', '-'], { input });
  expect(code, stderr).toBe(0);
  return stderr;
}

async function install(command: 'install' | 'upgrade', values: object, ...more: string[]): Promise<string> {
  const file = join(tmpdir(), `${release}-values.json`);
  await writeFile(file, JSON.stringify({ image: image.values, ...values }));
  try {
    if (command === 'install') more.push('--create-namespace');
    return await runHelm(command, chart, '-f', file, '--wait', '--timeout', '120s', ...more);
  } finally {
    await rm(file, { force: true });
  }
}

describe.skipIf(noImage)(
  `helm install, one annotation, stats${noImage ? ` (${noImage})` : ''}`,
  { timeout: patienceMs },
  () => {
    beforeAll(async () => {
      image = await ownImage();
      bed = await openBed({ images: image.images });
    });
    afterAll(async () => {
      if (bed) {
        await runHelm('uninstall', '--ignore-not-found').catch(() => {});
        await bed.kubectl(['delete', 'namespace', release, '--ignore-not-found', '--wait=false']);
      }
      await bed?.close();
      await image?.remove();
    });

    describe.each([
      { engine: 'policy', delivery: 'image-volume' },
      { engine: 'webhook', delivery: 'init-container' },
    ])('engine $engine, files by $delivery', ({ engine, delivery }) => {
      const name = (text: string) => `${text}-${engine}`;
      const values = { engine, agent: { delivery, artifactsSize: '64Mi' } };

      beforeAll(async () => {
        if (cannotRun()) return;
        expect(await install('install', values)).toContain('helm test');
        await untilInjected(true);
      }, patienceMs);
      beforeEach(({ skip }) => skip(cannotRun(), 'this machine has no namespaces for containers'));

      it('answers for every pod of an annotated Deployment, with an artifact volume', async () => {
        await create(deployment(name('web'), inject));
        await rolledOut(name('web'));
        const pods = await podsOf(name('web'));
        expect(pods).toHaveLength(2);
        for (const one of pods) {
          expect(one.metadata.annotations).toMatchObject({ 'nodeops.dev/injected': 'app' });
          expect(ours(one)).toEqual(['nodeops-agent', 'nodeops-artifacts']);
          expect((one.spec.initContainers ?? []).map((init) => init.name)).toEqual(
            delivery === 'init-container' ? ['nodeops-agent'] : [],
          );
        }
        const stdout = await stats(`deploy/${name('web')}`);
        for (const { metadata } of pods) expect(stdout).toContain(metadata.name);
        // the agent keeps its files where the volume is
        const list = "console.log(require('node:fs').readdirSync('/nodeops-artifacts/config').join('\\n'))";
        const files = await bed.runIn(pods[0]!.metadata.name, list);
        expect(files).toMatch(/^\d+$/m);
      });

      it('is found in order by doctor', async () => {
        const [{ metadata }] = (await podsOf(name('web'))) as [PodObject];
        const { stdout } = await bed.nodeops(['doctor', metadata.name, '-o', 'json']);
        const { checks } = JSON.parse(stdout) as { checks: { id: string; status: string }[] };
        expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
        const link = checks.filter(({ id }) => /^(injection|agent|link|portforward)/.test(id));
        expect(link.length).toBeGreaterThan(0);
        for (const check of link) expect(check).toMatchObject({ id: check.id, status: 'ok' });
      });

      it('leaves a pod alone that did not ask', async () => {
        for (const annotations of [{}, { 'nodeops.dev/inject': 'false' }]) {
          const made = await admitted(plain('other', annotations));
          expect(made.metadata.annotations ?? {}).toEqual(annotations);
          expect(ours(made)).toEqual([]);
          expect(made.spec.containers[0]!.env ?? []).toEqual([]);
          expect(made.spec.initContainers ?? []).toEqual([]);
        }
      });

      it('says that a NODE_OPTIONS from elsewhere is left alone; the webhook to whoever creates the pod, too', async () => {
        const from = { configMapKeyRef: { name: 'options', key: 'node', optional: true } };
        const asking = plain(name('from'), inject, [{ name: 'NODE_OPTIONS', valueFrom: from }]);
        const said = await create(asking);
        const why = 'app: NODE_OPTIONS comes from valueFrom and cannot be appended to';
        expect(said).toBe(engine === 'webhook' ? `Warning: nodeops: ${why}\n` : '');
        const [made] = await podsOf(name('from'));
        expect(made!.metadata.annotations).toEqual({ ...inject, 'nodeops.dev/skipped': why });
        expect(ours(made!)).toEqual([]);
      });

      it('is turned on by kubectl nodeops enable', async () => {
        await create(deployment(name('late'), {}));
        await rolledOut(name('late'));
        const target = `deploy/${name('late')}`;
        const before = await bed.nodeops(['stats', target]);
        expect(before.code).not.toBe(0);
        const enabled = await bed.nodeops(['enable', target, '--wait', '--timeout', '120s'], { timeoutMs: 140_000 });
        expect({ code: enabled.code, stdout: enabled.stdout }).toEqual({
          code: 0,
          stdout: `deployment/${name('late')} enabled\n`,
        });
        // a rollout is done while the last old pods are ending
        await vi.waitFor(async () => expect(await endingPods()).toBe(0), { timeout: 60_000, interval: 200 });
        const stdout = await stats(target);
        for (const { metadata } of await podsOf(name('late'))) expect(stdout).toContain(metadata.name);
      });

      it('passes helm test', async () => {
        expect(await runHelm('test', '--timeout', '120s')).toMatch(/Phase: +Succeeded/);
      });

      if (engine === 'webhook') {
        it('goes on injecting while an upgrade renews the certificate, and with the new one', async () => {
          const secret = `secret/${release}-inject`;
          const certificate = async () => must([...inRelease, 'get', secret, '-o', 'jsonpath={.data.tls\\.crt}']);
          const first = await certificate();
          await install('upgrade', values);
          expect(await certificate()).toBe(first);
          await must([...inRelease, 'annotate', '--overwrite', secret, 'nodeops.dev/renew-after=1']);
          // the annotation was changed by hand, which server-side apply would otherwise keep
          await install('upgrade', values, '--force-conflicts');
          expect(await certificate()).not.toBe(first);
          expect(isInjected(await admitted(plain('meanwhile', inject)))).toBe(true);
          // a kubelet takes a minute and a half at most to bring it to the pods
          const loads = async () => {
            const logs = await must([...inRelease, 'logs', '-l', 'app.kubernetes.io/component=inject', '--tail=-1']);
            return logs.match(/certificate loaded/g)?.length;
          };
          await expect.poll(loads, { timeout: 150_000, interval: 500 }).toBe(4);
          expect(isInjected(await admitted(plain('after', inject)))).toBe(true);
        });

        it('lets pods pass while no replica answers', async () => {
          await must([...inRelease, 'scale', `deployment/${release}-inject`, '--replicas=0']);
          await untilInjected(false);
          expect(ours(await admitted(plain('unattended', inject)))).toEqual([]);
        });
      }

      it('leaves nothing behind that is in the way of pods', async () => {
        await runHelm('uninstall', '--ignore-not-found', '--wait', '--timeout', '120s');
        expect(await must(['get', clusterKinds, '-l', `app.kubernetes.io/instance=${release}`, '-o', 'name'])).toBe('');
        const rest = ['get', 'deployments,services,secrets,configmaps,pods', '-o', 'name'];
        const left = async () => must([...inRelease, ...rest, '-l', `app.kubernetes.io/instance=${release}`]);
        await vi.waitFor(async () => expect(await left()).toBe(''), { timeout: 60_000, interval: 200 });
        await untilInjected(false);
        await create(plain(name('gone'), inject));
        await bed.ready(name('gone'));
        const [made] = await podsOf(name('gone'));
        expect(made!.metadata.annotations).toEqual(inject);
        expect(ours(made!)).toEqual([]);
      });
    });
  },
);
