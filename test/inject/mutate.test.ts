import { applyPatch } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { mutate } from '../../src/inject/mutate.ts';
import type { Pod } from '../../src/inject/pod.ts';
import { cases } from './cases.ts';

it('has a table of at least thirty cases with names of their own', () => {
  expect(cases.length).toBeGreaterThanOrEqual(30);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

describe.each(cases)('$file: $name', ({ pod, settings, namespaceAsks, out, skipped }) => {
  it('gives the pod and the warnings of the table', () => {
    const before = structuredClone(pod);
    const result = mutate(pod, { settings, namespaceAsks });
    expect(result.pod).toEqual(out);
    expect(result.warnings).toEqual(skipped);
    expect(result.statusAnnotation).toBe(skipped.length > 0 ? skipped.join('; ') : undefined);
    expect(pod).toEqual(before);
  });

  it('gives a patch that leads there, empty where nothing changes', () => {
    const { patch } = mutate(pod, { settings, namespaceAsks });
    const patched = structuredClone(pod);
    expect(applyPatch(patched, structuredClone(patch) as never).filter((error) => error !== null)).toEqual([]);
    expect(patched).toEqual(out);
    if (pod === out) expect(patch).toEqual([]);
  });

  it('changes nothing the second time', () => {
    const again = mutate(out, { settings, namespaceAsks });
    expect(again.patch).toEqual([]);
    expect(again.warnings).toEqual(skipped);
  });

  it('ends alike whether a service mesh injects before or after', () => {
    const last = mesh(mutate(pod, { settings, namespaceAsks }).pod);
    const reinvoked = mutate(last, { settings, namespaceAsks }).pod;
    const first = mutate(mesh(pod), { settings, namespaceAsks }).pod;
    expect(byName(reinvoked)).toEqual(byName(first));
  });
});

/** What a mesh does: a proxy and an init container at the end, with a volume of its own. */
function mesh(pod: Pod): Pod {
  const { spec } = structuredClone(pod);
  return {
    ...structuredClone(pod),
    spec: {
      ...spec,
      containers: [...spec.containers.filter(({ name }) => name !== 'istio-proxy'), { name: 'istio-proxy' }],
      initContainers: [...(spec.initContainers ?? []), { name: 'istio-validation' }],
      volumes: [...(spec.volumes ?? []), { name: 'istio-envoy', emptyDir: {} }],
    },
  };
}

/** The order of volumes means nothing to Kubernetes; that of containers hardly. */
function byName(pod: Pod): object {
  const sorted = <T extends { name: string }>(list: T[] | undefined) =>
    [...(list ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  const { metadata, spec } = pod;
  return { metadata, spec: { ...spec, containers: sorted(spec.containers), volumes: sorted(spec.volumes) } };
}
