/** How far a rollout is, by the rules of `kubectl rollout status` (kubectl's polymorphichelpers/rollout_status.go). */
import type { WorkloadResource } from '../../targets/workloads.ts';
import type { Workload } from './workload.ts';

export type Progress =
  | { readonly state: 'done'; readonly said: string }
  | { readonly state: 'going'; readonly said: string }
  /** It will not go on by itself. */
  | { readonly state: 'stopped'; readonly said: string; readonly why: 'paused' | 'deadline' | 'on-delete' };

const going = (said: string): Progress => ({ state: 'going', said });
const done = (said: string): Progress => ({ state: 'done', said });

export function progressOf(resource: WorkloadResource, workload: Workload): Progress {
  const { metadata, status, spec } = workload;
  if (spec?.updateStrategy?.type === 'OnDelete')
    return { state: 'stopped', why: 'on-delete', said: 'its pods are replaced only when they are deleted (OnDelete)' };
  if (spec?.paused) return { state: 'stopped', why: 'paused', said: 'its rollout is paused' };
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) return going('the change is not seen yet');
  switch (resource) {
    case 'deployments':
      return deployment(workload);
    case 'statefulsets':
      return statefulSet(workload);
    default:
      return daemonSet(workload);
  }
}

function deployment({ spec, status = {} }: Workload): Progress {
  const wanted = spec?.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  const late = conditions.find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  if (late) return { state: 'stopped', why: 'deadline', said: 'its progress deadline is exceeded' };
  if (updatedReplicas < wanted) return going(`${updatedReplicas} of ${wanted} pods are new`);
  if (replicas > updatedReplicas) return going(`${replicas - updatedReplicas} old pods are left`);
  if (availableReplicas < updatedReplicas)
    return going(`${availableReplicas} of ${updatedReplicas} new pods are ready`);
  return done(`${wanted} of ${wanted} pods are new and ready`);
}

function statefulSet({ spec, status = {} }: Workload): Progress {
  const wanted = spec?.replicas ?? 1;
  const { readyReplicas = 0, updatedReplicas = 0, currentRevision, updateRevision } = status;
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (readyReplicas < wanted) return going(`${readyReplicas} of ${wanted} pods are ready`);
  if (partition > 0) {
    const due = Math.max(0, wanted - partition);
    if (updatedReplicas < due) return going(`${updatedReplicas} of ${due} pods are new`);
    return done(`${updatedReplicas} pods are new; those below the partition ${partition} stay as they are`);
  }
  if (updateRevision !== currentRevision) return going(`${updatedReplicas} of ${wanted} pods are new`);
  return done(`${wanted} of ${wanted} pods are new and ready`);
}

function daemonSet({ status = {} }: Workload): Progress {
  const { desiredNumberScheduled: wanted = 0, updatedNumberScheduled: updated = 0, numberAvailable = 0 } = status;
  if (updated < wanted) return going(`${updated} of ${wanted} pods are new`);
  if (numberAvailable < wanted) return going(`${numberAvailable} of ${wanted} pods are ready`);
  return done(`${wanted} of ${wanted} pods are new and ready`);
}
