import { describe, expect, it } from 'vitest';
import { progressOf } from '../../../../src/plugin/commands/enable/rollout.ts';
import { restRecording } from '../../transport/kube/server.ts';

const metadata = { name: 'api', generation: 3 };
const current = { observedGeneration: 3 };

describe('how far a rollout is', () => {
  it('of a recorded Deployment: done', () => {
    expect(progressOf('deployments', restRecording('deployment-get').body as never)).toEqual({
      state: 'done',
      said: '2 of 2 pods are new and ready',
    });
  });

  it.each([
    ['not seen yet', { status: { observedGeneration: 2 } }, 'going', 'the change is not seen yet'],
    ['some new', { status: { ...current, replicas: 4, updatedReplicas: 1 } }, 'going', '1 of 3 pods are new'],
    ['old left', { status: { ...current, replicas: 4, updatedReplicas: 3 } }, 'going', '1 old pods are left'],
    [
      'not ready',
      { status: { ...current, replicas: 3, updatedReplicas: 3, availableReplicas: 2 } },
      'going',
      '2 of 3 new pods are ready',
    ],
    ['paused', { spec: { replicas: 3, paused: true }, status: current }, 'stopped', 'its rollout is paused'],
    [
      'late',
      {
        status: {
          ...current,
          replicas: 4,
          updatedReplicas: 1,
          conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
        },
      },
      'stopped',
      'its progress deadline is exceeded',
    ],
    [
      'late the last time, not seen yet',
      {
        status: {
          observedGeneration: 2,
          conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }],
        },
      },
      'going',
      'the change is not seen yet',
    ],
  ])('of a Deployment: %s', (_, given, state, said) => {
    const deployment = { metadata, spec: { replicas: 3 }, ...given };
    expect(progressOf('deployments', deployment)).toMatchObject({ state, said });
  });

  it.each([
    [{ readyReplicas: 1 }, {}, 'going', '1 of 2 pods are ready'],
    [
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      {},
      'going',
      '1 of 2 pods are new',
    ],
    [
      { readyReplicas: 2, updatedReplicas: 2, currentRevision: 'b', updateRevision: 'b' },
      {},
      'done',
      '2 of 2 pods are new and ready',
    ],
    [
      { readyReplicas: 2, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      { updateStrategy: { rollingUpdate: { partition: 1 } } },
      'done',
      '1 pods are new; those below the partition 1 stay as they are',
    ],
    [
      {},
      { updateStrategy: { type: 'OnDelete' } },
      'stopped',
      'its pods are replaced only when they are deleted (OnDelete)',
    ],
  ])('of a StatefulSet: %o', (status, spec, state, said) => {
    const set = { metadata, spec: { replicas: 2, ...spec }, status: { ...current, ...status } };
    expect(progressOf('statefulsets', set)).toMatchObject({ state, said });
  });

  it.each([
    [{ desiredNumberScheduled: 3, updatedNumberScheduled: 1 }, 'going', '1 of 3 pods are new'],
    [{ desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 }, 'going', '2 of 3 pods are ready'],
    [
      { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 },
      'done',
      '3 of 3 pods are new and ready',
    ],
  ])('of a DaemonSet: %o', (status, state, said) => {
    expect(progressOf('daemonsets', { metadata, spec: {}, status: { ...current, ...status } })).toMatchObject({
      state,
      said,
    });
  });
});
