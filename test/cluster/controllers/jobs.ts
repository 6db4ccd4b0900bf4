/** Jobs: pods until enough succeeded or too many failed. */
import type { AdmittedObjects } from '../api/admitted.ts';
import { resourceNamed } from '../api/resources.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { timestamp } from '../kubelet/podstatus.ts';
import { createPod, isGoing, isOver, isReady, ownedBy, pods, writeStatus } from './owned.ts';

const jobs = resourceNamed('jobs');

export async function reconcileJob(objects: AdmittedObjects, job: KubeObject): Promise<void> {
  const done = job.status?.conditions?.some(
    (c: Json) => ['Complete', 'Failed'].includes(c.type) && c.status === 'True',
  );
  if (done) return;
  const owned = ownedBy(objects, pods, job);
  const succeeded = owned.filter(({ status }) => status?.phase === 'Succeeded').length;
  const failed = owned.filter(({ status }) => status?.phase === 'Failed').length;
  const active = owned.filter((pod) => !isOver(pod) && !isGoing(pod));
  const { completions, parallelism, backoffLimit, suspend } = job.spec;
  const complete = succeeded >= completions;
  const broken = failed > backoffLimit;
  if (!complete && !broken && !suspend)
    for (let i = active.length; i < Math.min(parallelism, completions - succeeded); i++)
      active.push(await createPod(objects, job));
  if (broken) for (const pod of active) objects.delete(pods, pod);
  const now = timestamp();
  const state = (type: string, reason: string, message: string) => ({
    type,
    status: 'True',
    lastProbeTime: now,
    lastTransitionTime: now,
    reason,
    message,
  });
  const why = complete
    ? {
        conditions: [
          state('SuccessCriteriaMet', 'CompletionsReached', 'Reached expected number of succeeded pods'),
          state('Complete', 'CompletionsReached', 'Reached expected number of succeeded pods'),
        ],
        completionTime: now,
      }
    : broken
      ? {
          conditions: [
            state('FailureTarget', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
            state('Failed', 'BackoffLimitExceeded', 'Job has reached the specified backoff limit'),
          ],
        }
      : {};
  writeStatus(objects, jobs, job, {
    ...why,
    startTime: job.status?.startTime ?? now,
    ...(active.length && !broken ? { active: active.length } : {}),
    ...(succeeded ? { succeeded } : {}),
    ...(failed ? { failed } : {}),
    terminating: 0,
    uncountedTerminatedPods: {},
    ready: active.filter(isReady).length,
  });
}
