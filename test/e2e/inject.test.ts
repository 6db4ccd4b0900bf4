/**
 * The table of test/inject/cases on an API server, the embedded one or a real one: the chart's policy (Kubernetes 1.36 and newer) is
 * installed for one namespace, and each pod is created with a server-side dry run.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../src/inject/pod.ts';
import { clusters, type Manifest, template } from '../helm/helm.ts';
import { type Case, cases } from '../inject/cases.ts';
import { chartValues } from '../inject/chart-values.ts';
import { type Bed, furnished, openBed } from './bed.ts';

describe('the policy of the chart', () => {
  const id = randomBytes(4).toString('hex');
  const label = `nodeops-e2e-${id}`;
  const installed = new Map<string, Promise<void>>();
  let bed: Bed;

  async function must(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await bed.kubectl(args, { input, timeoutMs: 60_000 });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  beforeAll(async () => {
    bed = await openBed();
    const kinds = await must(['api-resources', '--api-group=admissionregistration.k8s.io', '-o', 'name']);
    expect(kinds, 'the cluster has no MutatingAdmissionPolicy: use Kubernetes 1.36 or newer').toContain(
      'mutatingadmissionpolicies',
    );
  });
  afterAll(async () => {
    if (!bed) return;
    const kinds = 'mutatingadmissionpolicies,mutatingadmissionpolicybindings';
    await bed.kubectl(['delete', kinds, '-l', `nodeops-e2e=${label}`, '--ignore-not-found', '--wait=false']);
    await bed.kubectl(['delete', 'namespace', '-l', `nodeops-e2e=${label}`, '--ignore-not-found', '--wait=false']);
    await bed.close();
  });

  /** A namespace for each set of settings, with the policy rendered for them and bound to that namespace alone. */
  function namespaceOf({ settings, namespaceAsks }: Case): Promise<string> {
    const key = JSON.stringify([settings, namespaceAsks]);
    const keys = [...installed.keys()];
    const namespace = `${label}-${keys.includes(key) ? keys.indexOf(key) : keys.length}`;
    if (!installed.has(key)) installed.set(key, install(namespace, settings, namespaceAsks));
    return installed.get(key)!.then(() => namespace);
  }

  async function install(namespace: string, settings: Case['settings'], namespaceAsks: boolean): Promise<void> {
    const labels = { 'nodeops-e2e': label, ...(namespaceAsks ? { 'nodeops.dev/inject': 'true' } : {}) };
    const manifests = await template(clusters['1.36']!, {
      engine: 'policy',
      rbac: { create: false },
      ...chartValues(settings),
    });
    const policies = manifests
      .filter(({ kind }) => kind.startsWith('MutatingAdmissionPolicy'))
      .map((one) => renamed(one, namespace));
    const items = [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }, ...policies];
    await must(['create', '-f', '-'], items.map((item) => JSON.stringify(item)).join('\n---\n'));
    await furnished(bed, namespace);
    await untilActive(namespace, settings.version, namespaceAsks);
  }

  function renamed(manifest: Manifest, namespace: string): Manifest {
    const copy = structuredClone(manifest);
    copy.metadata.name = `${namespace}-${copy.metadata.name}`;
    copy.metadata.labels = { 'nodeops-e2e': label };
    if (copy.kind === 'MutatingAdmissionPolicyBinding') copy.spec.policyName = `${namespace}-${copy.spec.policyName}`;
    else
      copy.spec.matchConstraints.namespaceSelector.matchExpressions.push({
        key: 'kubernetes.io/metadata.name',
        operator: 'In',
        values: [namespace],
      });
    return copy;
  }

  /** Policies take effect some time after they are created. */
  async function untilActive(namespace: string, version: string, namespaceAsks: boolean): Promise<void> {
    const annotations = namespaceAsks ? {} : { 'nodeops.dev/inject': 'true' };
    const probe: Pod = { metadata: { annotations }, spec: { containers: [{ name: 'probe' }] } };
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      const pod = await create(probe, namespace, version);
      // with the sidecar, where that is the setting
      if (pod.metadata?.annotations?.['nodeops.dev/injected']?.split(',')[0] === 'probe') return;
    }
    throw new Error(`the policy did not take effect in ${namespace} within a minute`);
  }

  async function create(pod: Pod, namespace: string, version: string): Promise<Pod> {
    const made = JSON.parse(
      await must(
        ['create', '-n', namespace, '--dry-run=server', '-o', 'json', '--validate=strict', '-f', '-'],
        JSON.stringify(completed(pod)),
      ),
    );
    // the chart's version stands where the table has one of its own
    const annotations = made.metadata.annotations ?? {};
    if ('nodeops.dev/version' in annotations) annotations['nodeops.dev/version'] = version;
    return made;
  }

  it.each(cases.filter(isAccepted))('$file: $name', async (one) => {
    const made = await create(one.pod, await namespaceOf(one), one.settings.version);
    expect(made.metadata?.annotations ?? {}).toEqual(completed(one.out).metadata?.annotations ?? {});
    expect(named(made.spec)).toMatchObject(named(completed(one.out).spec) as object);
    expect((made.spec.initContainers ?? []).map(({ name }) => name)).toEqual(
      (one.out.spec.initContainers ?? []).map(({ name }) => name),
    );
  });
});

/** A mirror pod may be created by a kubelet only; a claim or a missing Secret are of no concern to a dry run. */
function isAccepted({ pod }: Case): boolean {
  return !('kubernetes.io/config.mirror' in (pod.metadata?.annotations ?? {}));
}

/** The table leaves out what every pod needs. */
function completed(pod: Pod): Pod {
  const withImage = (container: Container): Container => ({ image: 'registry.example/app:1', ...container });
  const { metadata = {}, spec } = structuredClone(pod);
  const name = metadata.name || metadata.generateName ? {} : { generateName: 'case-' };
  const owners = metadata.ownerReferences ? { ownerReferences: undefined } : {};
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...name, ...metadata, ...owners },
    spec: {
      ...spec,
      containers: spec.containers.map(withImage),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withImage) } : {}),
      volumes: [...(spec.volumes ?? []), ...missingVolumes(spec)],
    },
  } as Pod;
}

function missingVolumes(spec: Pod['spec']): { name: string; emptyDir: object }[] {
  const known = new Set((spec.volumes ?? []).map(({ name }) => name));
  const used = spec.containers.flatMap((container) => (container.volumeMounts ?? []).map(({ name }) => name));
  return [...new Set(used)].filter((name) => !known.has(name)).map((name) => ({ name, emptyDir: {} }));
}

/** Lists by name, since the API server adds mounts and volumes of its own. */
function named(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(named);
    const keyed = items.every((item) => typeof item === 'object' && item !== null && 'name' in item);
    return keyed && items.length > 0
      ? Object.fromEntries(items.map((item) => [(item as { name: string }).name, item]))
      : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => !(Array.isArray(inner) && inner.length === 0))
      .map(([key, inner]) => [key, named(inner)]),
  );
}
