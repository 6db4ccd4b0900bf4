/** What the cluster says of the containers that are looked at; nothing where it says nothing. */
import type { PodFacts } from '../../why/case.ts';
import { fanOut } from '../client/fanout.ts';
import type { Io } from '../io.ts';
import type { Target } from '../target.ts';
import type { KubeApi } from '../transport/kube/api.ts';
import { getPod, type Pod } from '../transport/kube/pods.ts';

interface Limits {
  readonly containers?: readonly {
    readonly name: string;
    readonly resources?: { readonly limits?: { readonly memory?: string } };
  }[];
}
interface Status {
  readonly containerStatuses?: readonly {
    readonly name: string;
    readonly restartCount?: number;
    readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
  }[];
}

const limitMs = 3_000;

export async function podFacts(
  api: KubeApi | undefined,
  targets: readonly Target[],
  io: Io,
): Promise<(target: Target) => PodFacts | null> {
  const pods = new Map(
    targets.flatMap(({ endpoint: { pod } }) => (pod ? [[`${pod.namespace}/${pod.name}`, pod] as const] : [])),
  );
  if (!api || pods.size === 0) return () => null;
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(limitMs)]);
  const outcomes = await fanOut([...pods], async ([, ref]) => (await getPod(api, ref, signal)).pod, {
    concurrency: 16,
  });
  const known = new Map(outcomes.flatMap(({ of, value }) => (value ? [[of[0], value] as const] : [])));
  return ({ endpoint: { pod }, process }) => {
    const found = pod && known.get(`${pod.namespace}/${pod.name}`);
    return found ? factsOf(found, /^[a-z][^/]*/.exec(process ?? '')?.[0]) : null;
  };
}

function factsOf(pod: Pod, container: string | undefined): PodFacts | null {
  const { containers = [] } = (pod.spec ?? {}) as Limits;
  const { containerStatuses = [] } = (pod.status ?? {}) as Status;
  const own = container ?? (containers.length === 1 ? containers[0]!.name : undefined);
  const status = containerStatuses.find(({ name }) => name === own);
  if (own === undefined) return null;
  const ended = status?.lastState?.terminated;
  return {
    restarts: status?.restartCount ?? null,
    memoryLimitBytes: bytesOf(containers.find(({ name }) => name === own)?.resources?.limits?.memory),
    lastTermination: ended ? { reason: ended.reason ?? null, exitCode: ended.exitCode ?? null } : null,
  };
}

const units: Readonly<Record<string, number>> = {
  ...{ '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

/** A Kubernetes quantity. */
function bytesOf(text: string | undefined): number | null {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text ?? '') ?? [];
  const scale = units[unit];
  return digits === undefined || scale === undefined ? null : Number(digits) * scale;
}
