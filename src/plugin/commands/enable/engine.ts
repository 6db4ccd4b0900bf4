/** What of the chart is installed: the policies or webhooks that act on the annotation. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from '../../transport/kube/api.ts';

/** As every object of the chart is labelled (deploy/helm/nodeops). */
export const chartSelector = 'app.kubernetes.io/name=nodeops';

/** One installed engine. A chart may install two objects of a kind: for pods that ask, and for namespaces that ask. */
export interface Engine {
  readonly kind: 'policy' | 'webhook';
  readonly name: string;
  /** Of the agent that it brings, where the chart says. */
  readonly version: string | undefined;
  /** Milliseconds since 1970, by the server's clock. */
  readonly createdAtMs: number;
  readonly failurePolicy: string | undefined;
  readonly excludedNamespaces: readonly string[];
  /** Label of namespaces that ask for all their pods. */
  readonly namespaceLabel: { readonly key: string; readonly values: readonly string[] } | undefined;
  /** Of policies: whether each has a binding, without which it does nothing. */
  readonly bound: boolean;
  /** Of webhooks: who is called. */
  readonly service: { readonly namespace: string; readonly name: string } | undefined;
  /** Of webhooks: base64 of PEM; empty while nobody has filled it in. */
  readonly caBundle: string;
}

export interface Engines {
  readonly found: readonly Engine[];
  /** Resources that this user may not list, so that an engine may be there unseen. */
  readonly hidden: readonly string[];
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}
interface Selector {
  readonly matchExpressions?: readonly Expression[];
}
interface Meta {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
}
interface Policy {
  readonly metadata: Meta;
  readonly spec?: {
    readonly failurePolicy?: string;
    readonly matchConstraints?: { readonly namespaceSelector?: Selector };
  };
}
interface Binding {
  readonly metadata: Meta;
  readonly spec?: { readonly policyName?: string };
}
interface Webhooks {
  readonly metadata: Meta;
  readonly webhooks?: readonly {
    readonly failurePolicy?: string;
    readonly namespaceSelector?: Selector;
    readonly clientConfig?: {
      readonly caBundle?: string;
      readonly service?: { readonly namespace: string; readonly name: string };
    };
  }[];
}

/** Looks for both kinds at once. Throws what the API server says, but for being forbidden to look. */
export async function findEngines(api: KubeApi, signal: AbortSignal): Promise<Engines> {
  const hidden: string[] = [];
  const list = async <T>(resource: string): Promise<T[]> => {
    try {
      const path = `/apis/admissionregistration.k8s.io/v1/${resource}`;
      const items: T[] = [];
      for await (const item of api.list<T>(path, { query: { labelSelector: chartSelector }, signal })) items.push(item);
      return items;
    } catch (error) {
      const code = error instanceof NodeopsError ? error.code : undefined;
      // a server older than policies answers 404
      if (code !== 'forbidden' && code !== 'nothing-matched' && !isUnknownPath(error)) throw error;
      if (code === 'forbidden') hidden.push(resource);
      return [];
    }
  };
  const [policies, bindings, webhooks] = await Promise.all([
    list<Policy>('mutatingadmissionpolicies'),
    list<Binding>('mutatingadmissionpolicybindings'),
    list<Webhooks>('mutatingwebhookconfigurations'),
  ]);
  const unseen = hidden.includes('mutatingadmissionpolicybindings');
  const bound = new Set(bindings.map(({ spec }) => spec?.policyName));
  const found = [
    ...byRelease(policies).map((parts) => policyEngine(parts, (name) => unseen || bound.has(name))),
    ...webhooks.map(webhookEngine),
  ];
  return { found, hidden };
}

/** A 404 of a path that the server does not serve, rather than of an object. */
function isUnknownPath(error: unknown): boolean {
  return error instanceof NodeopsError && /answered 404 to GET \/apis\//.test(error.message);
}

/** The chart's policies, those of one release together, the one for pods first: its name is the shorter one. */
function byRelease(policies: readonly Policy[]): Policy[][] {
  const releases = new Map<string, Policy[]>();
  for (const policy of policies.toSorted((a, b) => a.metadata.name.length - b.metadata.name.length)) {
    const release = policy.metadata.labels?.['app.kubernetes.io/instance'] ?? '';
    releases.set(release, [...(releases.get(release) ?? []), policy]);
  }
  return [...releases.values()];
}

function policyEngine(parts: readonly Policy[], isBound: (name: string) => boolean): Engine {
  const first = parts[0]!;
  return {
    kind: 'policy',
    ...metaOf(first.metadata),
    ...scopeOf(parts.map(({ spec }) => spec?.matchConstraints?.namespaceSelector)),
    failurePolicy: first.spec?.failurePolicy,
    bound: parts.every(({ metadata }) => isBound(metadata.name)),
    service: undefined,
    caBundle: '',
  };
}

function webhookEngine({ metadata, webhooks = [] }: Webhooks): Engine {
  const first = webhooks[0];
  return {
    kind: 'webhook',
    ...metaOf(metadata),
    ...scopeOf(webhooks.map(({ namespaceSelector }) => namespaceSelector)),
    failurePolicy: first?.failurePolicy,
    bound: true,
    service: first?.clientConfig?.service,
    caBundle: first?.clientConfig?.caBundle ?? '',
  };
}

function metaOf({ name, labels, creationTimestamp }: Meta): Pick<Engine, 'name' | 'version' | 'createdAtMs'> {
  return {
    name,
    version: labels?.['app.kubernetes.io/version'],
    createdAtMs: Date.parse(creationTimestamp ?? ''),
  };
}

/** The first selector is for pods that ask: it only excludes. The one that asks for a label is for namespaces. */
function scopeOf(selectors: readonly (Selector | undefined)[]): Pick<Engine, 'excludedNamespaces' | 'namespaceLabel'> {
  const expressions = selectors.map((selector) => selector?.matchExpressions ?? []);
  const excluded = expressions[0]?.find(
    ({ key, operator }) => key === 'kubernetes.io/metadata.name' && operator === 'NotIn',
  );
  const label = expressions.flat().find(({ operator }) => operator === 'In');
  return {
    excludedNamespaces: excluded?.values ?? [],
    namespaceLabel: label ? { key: label.key, values: label.values ?? [] } : undefined,
  };
}

/** Whether a namespace with these labels asks for all its pods. */
export function namespaceAsks(engines: readonly Engine[], labels: Readonly<Record<string, string>>): boolean {
  return engines.some(({ namespaceLabel: label }) => label?.values.includes(labels[label.key] ?? ''));
}

/** The command that installs an engine. */
export const installCommand = 'helm install nodeops deploy/helm/nodeops -n nodeops --create-namespace';
