/** Waits for a rollout, saying how far it is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Io } from '../../io.ts';
import { findPods } from '../../targets/selection.ts';
import { selectorOf, type WorkloadRef } from '../../targets/workloads.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { notRunning, type Pod } from '../../transport/kube/pods.ts';
import { type Progress, progressOf } from './rollout.ts';
import { getWorkload, nameOf } from './workload.ts';

const pollMs = 1_000;

/** Resolves with the last words. Throws `failed` for a rollout that stopped, `timeout`, `interrupted`, and what the server says. */
export async function waitForRollout(api: KubeApi, ref: WorkloadRef, timeoutMs: number, io: Io): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  let told = '';
  for (;;) {
    const workload = await getWorkload(api, ref, io.signal);
    const progress = progressOf(ref.resource, workload);
    if (progress.state === 'done') return progress.said;
    if (progress.state === 'stopped') throw await stopped(api, ref, progress, io.signal);
    if (progress.said !== told) io.stderr.write(`${nameOf(ref)}: ${progress.said}\n`);
    told = progress.said;
    if (performance.now() >= deadline)
      throw new NodeopsError(
        'timeout',
        `${nameOf(ref)} is not rolled out after ${Math.round(timeoutMs / 1_000)} s: ${told}${await reasons(api, ref, io.signal)}`,
        { hint: statusCommand(api, ref) },
      );
    await sleep(Math.min(pollMs, Math.max(1, deadline - performance.now())), undefined, { signal: io.signal }).catch(
      (cause: unknown) => {
        throw new NodeopsError('interrupted', `interrupted; the rollout of ${nameOf(ref)} goes on`, { cause });
      },
    );
  }
}

function statusCommand({ connection }: KubeApi, ref: WorkloadRef): string {
  return `${connection.kubectl} rollout status ${nameOf(ref)} -n ${ref.namespace}`;
}

/** The command that makes a rollout go on that will not do so by itself. */
export function goOnCommand(
  { connection: { kubectl } }: KubeApi,
  ref: WorkloadRef,
  why: (Progress & { state: 'stopped' })['why'],
): string {
  const where = `-n ${ref.namespace}`;
  if (why === 'paused') return `${kubectl} rollout resume ${nameOf(ref)} ${where}`;
  if (why === 'deadline') return `${kubectl} rollout undo ${nameOf(ref)} ${where}`;
  return `delete its pods one by one: ${kubectl} delete pod NAME ${where}`;
}

async function stopped(
  api: KubeApi,
  ref: WorkloadRef,
  { said, why }: Progress & { state: 'stopped' },
  signal: AbortSignal,
): Promise<NodeopsError> {
  const because = why === 'deadline' ? await reasons(api, ref, signal) : '';
  return new NodeopsError('failed', `${nameOf(ref)} was changed, but ${said}${because}`, {
    hint: goOnCommand(api, ref, why),
  });
}

/** What the pods that are not ready say of themselves; nothing when they may not be looked at. */
async function reasons(api: KubeApi, ref: WorkloadRef, signal: AbortSignal): Promise<string> {
  try {
    const labelSelector = await selectorOf(api, ref, signal);
    const { pods } = await findPods(api, { labelSelector, namespace: ref.namespace }, signal);
    const bad = pods.filter(
      ({ status }) => !status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    const said = bad
      .slice(0, 3)
      .map((pod) => notRunning(api, refOf(pod, ref), pod)?.message ?? `pod '${pod.metadata.name}' is not ready`);
    return said.length === 0 ? '' : `; ${said.join('; ')}`;
  } catch {
    return '';
  }
}

function refOf({ metadata }: Pod, { namespace }: WorkloadRef): { namespace: string; name: string } {
  return { namespace, name: metadata.name };
}
