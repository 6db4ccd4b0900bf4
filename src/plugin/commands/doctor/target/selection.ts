/** From a workload or a label selector to the pods that are looked at. */

import { findPods } from '../../../targets/selection.ts';
import { selectorOf, type WorkloadResource } from '../../../targets/workloads.ts';
import type { PodRef } from '../../../transport/kube/pods.ts';
import { fail, ok, warn } from '../check.ts';
import type { ClusterLinks } from '../cluster/cluster.ts';
import type { Examination, Link } from '../examination.ts';

/** Pods looked at; the others of a workload are like them. */
const podsLimit = 10;

/** One of `workload` and `selector` is given. */
export interface Selection {
  /** As it was typed. */
  readonly said: string;
  readonly workload?: { readonly resource: WorkloadResource; readonly name: string };
  readonly selector?: string;
}

export function examineSelection(
  exam: Examination,
  { api }: ClusterLinks,
  selection: Selection,
): Link<readonly PodRef[]> {
  return exam.link({ id: 'pods', what: 'pods', needs: [api] }, async (signal, server) => {
    const { namespace, kubectl } = server.connection;
    const { workload } = selection;
    const labelSelector = workload ? await selectorOf(server, { ...workload, namespace }, signal) : selection.selector;
    const { pods } = await findPods(server, { labelSelector, namespace }, signal);
    const alive = pods.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
    if (alive.length === 0)
      return fail('none', { run: [`${kubectl} get pods -n ${namespace} -l '${labelSelector}' --show-labels`] });
    const refs = alive.map(({ metadata }) => ({ namespace, name: metadata.name })).slice(0, podsLimit);
    if (alive.length <= podsLimit) return ok(String(alive.length), refs);
    return warn(
      `${alive.length}, the first ${podsLimit} of which are looked at`,
      { say: 'name one: doctor pod/NAME' },
      refs,
    );
  });
}
