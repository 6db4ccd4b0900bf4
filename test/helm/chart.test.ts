import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseSettings } from '../../src/inject/settings.ts';
import { chart, clusters, helm, type Manifest, only, template } from './helm.ts';
import { schemaErrors } from './schema.ts';

const scenarios = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));
const valuesOf = (scenario: string) => parse(readFileSync(join(chart, 'ci', `${scenario}-values.yaml`), 'utf8'));
/** Of other projects: their schemas are not Kubernetes'. */
const foreign = (manifest: Manifest) => manifest.apiVersion.startsWith('cert-manager.io/');

describe.each(scenarios)('scenario %s', (scenario) => {
  it('passes helm lint --strict', async () => {
    const output = await helm(
      'lint',
      '--strict',
      chart,
      '-f',
      join(chart, 'ci', `${scenario}-values.yaml`),
      '--kube-version',
      '1.36',
    );
    expect(output).toContain('0 chart(s) failed');
  });

  describe.each(Object.keys(clusters))('on Kubernetes %s', (version) => {
    let manifests: Manifest[];
    beforeAll(async () => {
      manifests = await template(clusters[version]!, valuesOf(scenario));
    });

    it('renders manifests that the API server would know', () => {
      expect(manifests.length).toBeGreaterThan(0);
      expect(manifests.filter((one) => !foreign(one)).flatMap(schemaErrors)).toEqual([]);
    });

    it('asks nothing of the cluster but its kinds', () => {
      const policies = manifests.filter(({ kind }) => kind.startsWith('MutatingAdmissionPolicy'));
      const { engine = 'auto' } = valuesOf(scenario) ?? {};
      expect(policies.length > 0).toBe(engine === 'policy' || (engine === 'auto' && version === '1.36'));
      const webhooks = manifests.filter(({ kind }) => kind === 'MutatingWebhookConfiguration');
      expect(webhooks).toHaveLength(engine === 'webhook' || (engine === 'auto' && version !== '1.36') ? 1 : 0);
    });

    it('runs every container restricted', () => {
      for (const { name, pod } of podsOf(manifests)) {
        expect(pod.securityContext, name).toMatchObject({
          runAsNonRoot: true,
          seccompProfile: { type: 'RuntimeDefault' },
        });
        expect(pod.automountServiceAccountToken, name).toBe(false);
        for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
          expect(container.securityContext, name).toMatchObject({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          });
          expect(container.resources.limits, name).toBeDefined();
        }
      }
    });

    it('puts no secret anywhere but into its certificate', () => {
      const secrets = manifests.filter(({ kind }) => kind === 'Secret');
      expect(secrets.every(({ type, data }) => type === 'kubernetes.io/tls' && Object.keys(data).length === 3)).toBe(
        true,
      );
      const rest = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'));
      expect(rest).not.toMatch(/PRIVATE KEY|LS0tLS1CRUdJTiBSU0EgUFJJVkFURSB/);
    });
  });
});

function podsOf(manifests: Manifest[]): { name: string; pod: Manifest['spec'] }[] {
  return manifests
    .filter(({ kind }) => kind === 'Deployment' || kind === 'Pod')
    .map(({ kind, metadata, spec }) => ({ name: metadata.name, pod: kind === 'Pod' ? spec : spec.template.spec }));
}

describe('the schema check', () => {
  it('fails on a misspelt field and on a wrong type', async () => {
    const deployment = only(await template(clusters['1.33']!), 'Deployment');
    deployment.spec.replica = 2;
    deployment.spec.template.spec.containers[0].ports[0].containerPort = 'https';
    expect(schemaErrors(deployment).join('\n')).toMatch(
      /must NOT have additional properties.*replica[\s\S]*must be integer/,
    );
  });
});

describe('the choice of the files’ way into a pod', () => {
  it.each([
    ['1.30', 'init-container'],
    ['1.33', 'init-container'],
    ['1.35', 'image-volume'],
  ])('on Kubernetes %s is %s', async (version, delivery) => {
    expect(settingsOf(await template(clusters[version]!)).delivery).toBe(delivery);
  });

  it('on Kubernetes 1.36 is image-volume, in the policy, too', async () => {
    const policy = only(await template(clusters['1.36']!), 'MutatingAdmissionPolicy', 'nodeops-inject');
    expect(JSON.stringify(policy)).toContain('Object.spec.volumes.image{');
    expect(policy.spec.variables.find(({ name }: Manifest['spec']) => name === 'agentByImage').expression).toContain(
      '? true :',
    );
  });
});

describe('the webhook', () => {
  it('is sent nothing but pods that ask, and is not waited for', async () => {
    const manifests = await template(clusters['1.33']!);
    const { webhooks } = only(manifests, 'MutatingWebhookConfiguration');
    expect(webhooks.map((one: Manifest) => one.clientConfig.service.path)).toEqual(['/mutate', '/mutate-namespace']);
    for (const webhook of webhooks)
      expect(webhook).toMatchObject({
        failurePolicy: 'Ignore',
        reinvocationPolicy: 'IfNeeded',
        timeoutSeconds: 2,
        sideEffects: 'None',
        rules: [
          { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' },
        ],
      });
    expect(webhooks[0].matchConditions[0].expression).toBe(
      "object.metadata.?annotations[?'nodeops.dev/inject'].orValue('') == 'true'",
    );
    expect(webhooks[1].namespaceSelector.matchExpressions).toEqual([
      {
        key: 'kubernetes.io/metadata.name',
        operator: 'NotIn',
        values: ['kube-system', 'kube-node-lease', 'kube-public', 'nodeops'],
      },
      { key: 'nodeops.dev/inject', operator: 'In', values: ['true'] },
    ]);
  });

  it('has settings that the injector understands', async () => {
    const settings = settingsOf(await template(clusters['1.33']!, valuesOf('webhook')));
    expect(settings).toMatchObject({
      port: 9848,
      artifactsSize: '512Mi',
      tokenSecret: { name: 'nodeops-token', key: 'value' },
      triggers: 'when heapUsed > 80% of limit for 30s capture pprof-heap',
    });
    expect(settings.image).toMatch(/^ghcr\.io\/nodeops\/nodeops@sha256:/);
  });

  it('stays up while nodes are drained and rolls when its settings change', async () => {
    const before = await template(clusters['1.33']!);
    const after = await template(clusters['1.33']!, { agent: { port: 9000 } });
    expect(only(before, 'Deployment').spec.replicas).toBe(2);
    expect(only(before, 'PodDisruptionBudget').spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    });
    const checksum = (manifests: Manifest[]) =>
      only(manifests, 'Deployment').spec.template.metadata.annotations['nodeops.dev/settings-checksum'];
    expect(checksum(after)).not.toBe(checksum(before));
  });

  it('may talk to nobody', async () => {
    const policy = only(await template(clusters['1.33']!), 'NetworkPolicy');
    expect(policy.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [] });
  });
});

describe('the roles', () => {
  it('give port-forward with both verbs, and ways into a pod to the profiler only', async () => {
    const manifests = await template(clusters['1.36']!, valuesOf('policy'));
    const rightsOf = (name: string) =>
      new Set(
        (only(manifests, 'ClusterRole', name).rules as { resources: string[]; verbs: string[] }[]).flatMap(
          ({ resources, verbs }) => resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
        ),
      );
    const viewer = rightsOf('nodeops-viewer');
    const profiler = rightsOf('nodeops-profiler');
    for (const right of ['get pods/portforward', 'create pods/portforward', 'list pods', 'list deployments']) {
      expect(viewer).toContain(right);
      expect(profiler).toContain(right);
    }
    expect([...profiler].filter((right) => !viewer.has(right)).sort()).toEqual(
      [
        'create pods/exec',
        'get pods/exec',
        'get pods/ephemeralcontainers',
        'get secrets',
        'patch pods/ephemeralcontainers',
      ].sort(),
    );
    expect(JSON.stringify(only(manifests, 'ClusterRole', 'nodeops-profiler'))).toContain(
      '"resourceNames":["nodeops-token"]',
    );
  });
});

describe('values', () => {
  it.each([
    [{ engine: 'webhooks' }, /engine/],
    [{ agent: { port: 80 } }, /port/],
    [{ agent: { artifactsSize: '1.5Gi' } }, /artifactsSize/],
    [{ agent: { triggers: 'when $(X) capture stack' } }, /triggers/],
    [{ agent: { triggers: 'x'.repeat(4_097) } }, /triggers/],
    [{ webhook: { replica: 3 } }, /replica/],
    [{ webhook: { certificates: { source: 'secret' } } }, /secretName/],
    [{ webhook: { certificates: { caBundle: '-----BEGIN CERTIFICATE-----' } } }, /caBundle/],
    [{ image: { tag: 'a b' } }, /tag/],
    [{ namespaces: { label: { key: 'a key' } } }, /key/],
    [{ namespaces: { label: { value: 'a value' } } }, /value/],
    [{ agent: { tokenSecret: { name: 'Tokens' } } }, /name/],
    [{ fullnameOverride: '1-nodeops' }, /fullnameOverride/],
  ])('%j are refused', async (values, message) => {
    await expect(template(clusters['1.33']!, values)).rejects.toThrow(message);
  });

  it('are all described in the README', () => {
    const readme = readFileSync(join(chart, 'README.md'), 'utf8');
    const described = [...readme.matchAll(/^\| `([^`]+)`\s*\|/gm)].map(([, name]) => name);
    const leaves = (value: unknown, path: string): string[] =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length > 0 &&
      !/resources$/.test(path)
        ? Object.entries(value).flatMap(([name, inner]) => leaves(inner, path ? `${path}.${name}` : name))
        : [path];
    expect(described.sort()).toEqual(leaves(parse(readFileSync(join(chart, 'values.yaml'), 'utf8')), '').sort());
  });

  it('with no namespace excluded leave out the expression that would exclude none', async () => {
    const selectors = (manifests: Manifest[]) =>
      only(manifests, 'MutatingWebhookConfiguration').webhooks.map((one: Manifest) => one.namespaceSelector);
    const [pod, namespace] = selectors(await template(clusters['1.33']!, { namespaces: { excluded: [] } }));
    expect(pod).toEqual({ matchExpressions: [] });
    expect(namespace.matchExpressions).toContainEqual({
      key: 'kubernetes.io/metadata.name',
      operator: 'NotIn',
      values: ['nodeops'],
    });
  });

  it('name objects as Kubernetes wants them, whatever the release is called', async () => {
    const nameOf = async (values: object, release: string) => {
      const manifests = await template(clusters['1.33']!, { engine: 'webhook', ...values }, release);
      return only(manifests, 'Service').metadata.name;
    };
    expect(await nameOf({}, 'my.tools')).toBe('my-tools-nodeops-inject');
    expect(await nameOf({ fullnameOverride: 'diagnostics' }, 'x')).toBe('diagnostics-inject');
    expect((await nameOf({}, `a${'b'.repeat(52)}`)).length).toBeLessThanOrEqual(63);
  });

  it('that exclude the release’s own namespace leave out the test, which could never pass', async () => {
    const kinds = async (excluded: string[]) =>
      (await template(clusters['1.36']!, { namespaces: { excluded } })).map(({ kind }) => kind);
    expect(await kinds(['kube-system'])).toContain('Pod');
    expect(await kinds(['nodeops'])).not.toContain('Pod');
  });

  it('place the webhook and the test on Linux, and wherever else it is said', async () => {
    const manifests = await template(clusters['1.33']!, { webhook: { nodeSelector: { pool: 'system' } } });
    for (const { name, pod } of podsOf(manifests))
      expect(pod.nodeSelector, name).toEqual({ pool: 'system', 'kubernetes.io/os': 'linux' });
  });

  it('older clusters are refused with the reason', async () => {
    await expect(template({ version: '1.29.0' })).rejects.toThrow('kubeVersion: >=1.30.0-0');
  });
});

function settingsOf(manifests: Manifest[]): ReturnType<typeof parseSettings> {
  return parseSettings(JSON.parse(only(manifests, 'ConfigMap').data['settings.json']));
}
