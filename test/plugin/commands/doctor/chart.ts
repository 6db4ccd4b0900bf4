/** The chart's own manifests, rendered by the real helm, as an API server would list them. */
import { clusters, type Manifest, template } from '../../../helm/helm.ts';
import { type Answer, type Asked, list } from './stage.ts';

export type Installed = (asked: Asked) => Answer | undefined;

/** `change` edits the manifests before they are served. */
export async function installedChart(
  cluster: '1.33' | '1.36',
  change: (manifests: Manifest[]) => Manifest[] = (manifests) => manifests,
  { values = {}, createdAt = '2026-01-01T00:00:00Z' }: { values?: object; createdAt?: string } = {},
): Promise<Installed> {
  const manifests = change(await template(clusters[cluster]!, values)).map((manifest) => ({
    ...manifest,
    metadata: { ...manifest.metadata, creationTimestamp: createdAt },
  }));
  return ({ path, query }) => {
    const plural = /^\/apis\/admissionregistration\.k8s\.io\/v1\/(\w+)$/.exec(path)?.[1];
    if (!plural) return undefined;
    const [key, value] = (query.get('labelSelector') ?? '').split('=');
    const kinds = { policies: 'policy', bindings: 'binding', configurations: 'configuration' };
    const ending = Object.keys(kinds).find((end) => plural.endsWith(end)) as keyof typeof kinds;
    const kind = plural.slice(0, -ending.length) + kinds[ending];
    return list(
      ...manifests.filter(
        ({ kind: is, metadata }) => is.toLowerCase() === kind && metadata.labels?.[key ?? ''] === value,
      ),
    );
  };
}
