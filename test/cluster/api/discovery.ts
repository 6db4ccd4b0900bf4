/** /version, /api and /apis: plain lists, and the aggregated form (`g=apidiscovery.k8s.io;v=v2`) that kubectl asks for. */
import { apiVersionOf, groups, type Resource, resources } from './resources.ts';
import type { Json } from './types.ts';

export const version = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: '8e16b12fda5b1dccc41a6de48b3e356cc7d5048b',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'go1.26.10',
  compiler: 'gc',
  platform: 'linux/amd64',
};

export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function wantsAggregated(accept: string): boolean {
  return accept.split(',').some((part) => /g=apidiscovery\.k8s\.io/.test(part) && /v=v2(;|$|\s)/.test(`${part};`));
}

const groupVersions = (group: string) => [...new Set(resources.filter((r) => r.group === group).map((r) => r.version))];

export function aggregated(group?: ''): Json {
  const listed = group === '' ? [''] : groups;
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: listed.map((name) => ({
      metadata: name ? { name } : {},
      versions: groupVersions(name).map((v) => ({
        version: v,
        resources: resources.filter((r) => r.group === name && r.version === v).map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
}

function aggregatedResource(r: Resource): Json {
  const subresources = Object.entries(r.subresources).map(([subresource, s]) => ({
    subresource,
    responseKind: { group: s.group ?? '', version: s.version ?? '', kind: s.kind },
    verbs: s.verbs,
  }));
  return {
    resource: r.resource,
    responseKind: { group: '', version: '', kind: r.kind },
    scope: r.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: r.singular,
    verbs: r.verbs,
    ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
    ...(r.categories.length ? { categories: r.categories } : {}),
    ...(subresources.length ? { subresources } : {}),
  };
}

export function groupList(): Json {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) };
}

export function groupEntry(name: string): Json {
  const versions = groupVersions(name).map((v) => ({ groupVersion: `${name}/${v}`, version: v }));
  return { name, versions, preferredVersion: versions[0] };
}

export function resourceList(group: string, v: string): Json | undefined {
  const listed = resources.filter((r) => r.group === group && r.version === v);
  if (listed.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version: v }),
    resources: listed.flatMap((r) => [
      {
        name: r.resource,
        singularName: r.singular,
        namespaced: r.namespaced,
        kind: r.kind,
        verbs: r.verbs,
        ...(r.shortNames.length ? { shortNames: r.shortNames } : {}),
        ...(r.categories.length ? { categories: r.categories } : {}),
      },
      ...Object.entries(r.subresources).map(([name, s]) => ({
        name: `${r.resource}/${name}`,
        singularName: '',
        namespaced: r.namespaced,
        ...(s.group ? { group: s.group, version: s.version } : {}),
        kind: s.kind,
        verbs: s.verbs,
      })),
    ]),
  };
}
