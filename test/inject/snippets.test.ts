import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mutate } from '../../src/inject/mutate.ts';
import type { Pod } from '../../src/inject/pod.ts';
import { parseSettings } from '../../src/inject/settings.ts';
import { helm, kubectl } from '../helm/helm.ts';

const page = await readFile('docs/install.md', 'utf8');
const { version } = JSON.parse(await readFile('package.json', 'utf8'));
const settings = parseSettings({ version, image: `ghcr.io/nodeops/nodeops:${version}`, delivery: 'image-volume' });

/** A fenced block of docs/install.md by the comment above it. */
function snippet(name: string): string {
  const block = new RegExp(`<!-- test: ${name} -->\\n\`\`\`yaml\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (!block) throw new Error(`docs/install.md has no snippet ${name}`);
  return block;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nodeops-snippets-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the injector makes of the pod, without the annotation that asked for it. */
function injected(pod: Pod, delivery = settings.delivery): Pod {
  const asking = { ...pod, metadata: { annotations: { 'nodeops.dev/inject': 'true' } } };
  const result = mutate(asking, { settings: { ...settings, delivery }, namespaceAsks: false });
  expect(result.warnings).toEqual([]);
  delete result.pod.metadata!.annotations!['nodeops.dev/inject'];
  return result.pod;
}

/** Kubernetes keys these lists by name; a strategic merge puts new items in front. */
function sorted(pod: Pod): Pod {
  const byName = <T extends { name: string }>(list: T[] | undefined) =>
    (list ?? []).toSorted((a, b) => a.name.localeCompare(b.name));
  const containers = pod.spec.containers.map((container) => ({
    ...container,
    env: byName(container.env),
    volumeMounts: byName(container.volumeMounts),
  }));
  return { ...pod, spec: { ...pod.spec, containers, volumes: byName(pod.spec.volumes) } };
}

describe('the snippets of docs/install.md do what the injector does', () => {
  const container = {
    name: 'api',
    image: 'registry.example/api:1',
    env: [{ name: 'A', value: 'b' }],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  const spec = { containers: [container], volumes: [{ name: 'data', emptyDir: {} }] };

  it('as a patch by kubectl', async () => {
    const files = [join(folder, 'deployment.json'), join(folder, 'nodeops.yaml')] as const;
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api' },
      spec: { selector: { matchLabels: { app: 'api' } }, template: { metadata: {}, spec } },
    };
    await writeFile(files[0], JSON.stringify(deployment));
    await writeFile(files[1], snippet('patch'));
    const patched = JSON.parse(
      await kubectl('patch', '--local', '-f', files[0], '--patch-file', files[1], '-o', 'json'),
    ).spec.template;
    const { metadata, spec: patchedSpec } = sorted({ metadata: patched.metadata, spec: patched.spec });
    const expected = sorted(injected({ spec }));
    expect(metadata!.annotations).toEqual(expected.metadata!.annotations);
    expect(patchedSpec.volumes).toEqual(expected.spec.volumes);
    expect(patchedSpec.containers[0]).toMatchObject(expected.spec.containers[0]!);
    expect(patchedSpec.containers[0]!.env).toEqual(expected.spec.containers[0]!.env);
  });

  it('with an init container', () => {
    const { initContainers } = parse(snippet('init-container'));
    expect(injected({ spec }, 'init-container').spec.initContainers).toEqual(initContainers);
  });

  it('in a chart of one’s own', async () => {
    const chart = join(folder, 'chart');
    await mkdir(join(chart, 'templates'), { recursive: true });
    await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: own\nversion: 0.0.1\n');
    await writeFile(join(chart, 'templates/_nodeops.tpl'), snippet('helpers'));
    const indented = snippet('usage')
      .replaceAll(/^/gm, '  ')
      .replaceAll(/nindent (\d)/g, (_, n) => `nindent ${Number(n) + 2}`);
    await writeFile(
      join(chart, 'templates/pod.yaml'),
      `apiVersion: v1\nkind: Pod\nmetadata: {name: own}\nspec:\n${indented}`,
    );
    const pod = parse(await helm('template', chart)) as Pod;
    const own = {
      name: 'api',
      image: 'registry.example/api:1',
      env: [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=400' }],
    };
    expect(sorted(pod).spec).toEqual(sorted(injected({ spec: { containers: [own] } })).spec);
  });
});

it('the chart is of the same version as the package', async () => {
  const chart = parse(await readFile('deploy/helm/nodeops/Chart.yaml', 'utf8'));
  expect([chart.version, chart.appVersion]).toEqual([version, version]);
});
