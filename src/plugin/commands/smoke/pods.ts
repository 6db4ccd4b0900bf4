/** What the cluster says of the pods of a run: whom they belong to, and how often their containers were started again. */
import { fanOut } from '../../client/fanout.ts';
import type { Io } from '../../io.ts';
import type { Target } from '../../target.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { getPod, type Pod, type PodRef } from '../../transport/kube/pods.ts';

interface PodFacts {
  readonly workload: string;
  /** By container. */
  readonly restarts: ReadonlyMap<string, number>;
}
export type PodsFacts = ReadonlyMap<string, PodFacts>;

interface WithOwner extends Pod {
  readonly metadata: Pod['metadata'] & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
  };
}
interface WithRestarts {
  readonly containerStatuses?: readonly { readonly name: string; readonly restartCount?: number }[];
  readonly initContainerStatuses?: readonly { readonly name: string; readonly restartCount?: number }[];
}

const limitMs = 10_000;

export function podKey({ namespace, name }: PodRef): string {
  return `${namespace}/${name}`;
}

/** Of the pods that could be read; the others are left out. */
export async function lookAtPods(api: KubeApi | undefined, targets: readonly Target[], io: Io): Promise<PodsFacts> {
  const pods = new Map(targets.flatMap(({ endpoint: { pod } }) => (pod ? [[podKey(pod), pod] as const] : [])));
  if (!api) return new Map();
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(limitMs)]);
  const outcomes = await fanOut([...pods.values()], async (ref) => (await getPod(api, ref, signal)).pod, {
    concurrency: 16,
  });
  return new Map(outcomes.flatMap(({ of, value }) => (value ? [[podKey(of), factsOf(value)] as const] : [])));
}

function factsOf(pod: Pod): PodFacts {
  const { containerStatuses = [], initContainerStatuses = [] } = (pod.status ?? {}) as WithRestarts;
  const counts = [...initContainerStatuses, ...containerStatuses].map(
    ({ name, restartCount }) => [name, restartCount ?? 0] as const,
  );
  return { workload: workloadOf(pod), restarts: new Map(counts) };
}

/** The name a person gave: a Deployment's, whose ReplicaSet carries the template's hash; a CronJob's Job carries its time. */
export function workloadOf({ metadata }: WithOwner): string {
  const owners = metadata.ownerReferences ?? [];
  const owner = owners.find(({ controller }) => controller) ?? owners[0];
  if (!owner) return metadata.name;
  const hash = metadata.labels?.['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash && owner.name.endsWith(`-${hash}`))
    return owner.name.slice(0, -hash.length - 1);
  return owner.kind === 'Job' ? owner.name.replace(/-\d{8,10}$/, '') : owner.name;
}

/** Restarts of a container (of all of them where it is not known) between two looks; null when one is missing. */
export function restartsBetween(
  pod: PodRef | undefined,
  container: string | null,
  before: PodsFacts,
  after: PodsFacts,
): number | null {
  const [first, last] = pod ? [before.get(podKey(pod)), after.get(podKey(pod))] : [];
  if (!first || !last) return null;
  const names = container !== null && last.restarts.has(container) ? [container] : [...last.restarts.keys()];
  return names.reduce(
    (sum, name) => sum + Math.max(0, (last.restarts.get(name) ?? 0) - (first.restarts.get(name) ?? 0)),
    0,
  );
}
