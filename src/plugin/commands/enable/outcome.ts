/** What the injector made of the pods: a rollout is done, and a workload enabled, whether they carry the agent or not. */
import { statusAnnotations, wishAnnotations } from '../../../protocol/annotations.ts';
import { findPods } from '../../targets/selection.ts';
import { selectorOf, type WorkloadRef } from '../../targets/workloads.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import type { Pod } from '../../transport/kube/pods.ts';
import { flagsOf } from './connection.ts';
import { nameOf } from './workload.ts';

type Annotated = Pod & { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } };

/** Why pods that ask carry no agent, or not all of it; undefined where they do, or where they may not be looked at. */
export async function shortfall(
  api: KubeApi,
  ref: WorkloadRef,
  program: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const annotations = await annotationsOf(api, ref, signal).catch(() => []);
  const asking = annotations.filter((one) => one[wishAnnotations.inject] === 'true');
  const [skipped] = asking.flatMap((one) => one[statusAnnotations.skipped] ?? []);
  const bare = asking.some((one) => one[statusAnnotations.injected] === undefined);
  if (skipped === undefined && !bare) return undefined;
  const why = skipped === undefined ? '' : `: ${skipped}`;
  const what = bare ? 'its pods carry no agent' : 'something was left alone';
  return `${what}${why}; see ${program} doctor ${nameOf(ref)} ${flagsOf(api.connection)}`;
}

async function annotationsOf(api: KubeApi, ref: WorkloadRef, signal: AbortSignal) {
  const labelSelector = await selectorOf(api, ref, signal);
  const { pods } = await findPods(api, { labelSelector, namespace: ref.namespace }, signal);
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }: Annotated) => metadata.annotations ?? {});
}
