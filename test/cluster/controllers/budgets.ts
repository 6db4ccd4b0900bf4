/** PodDisruptionBudgets: how many of their pods are well, and how many may go. Evictions here do not ask them. */
import type { Objects } from '../api/objects.ts';
import { resourceNamed } from '../api/resources.ts';
import { matchesLabels, selectorRequirements } from '../api/selectors.ts';
import type { KubeObject } from '../api/types.ts';
import { isGoing, isOver, isReady, pods, writeStatus } from './owned.ts';

const budgets = resourceNamed('poddisruptionbudgets');

export function reconcileBudget(objects: Objects, budget: KubeObject): void {
  const { selector, minAvailable, maxUnavailable } = budget.spec;
  const requirements = selectorRequirements(selector);
  const expected = objects.store
    .list(pods, budget.metadata.namespace)
    .filter((pod) => matchesLabels(requirements, pod.metadata.labels) && !isOver(pod) && !isGoing(pod));
  const share = (value: number | string) =>
    typeof value === 'number' ? value : Math.ceil((Number.parseFloat(value) / 100) * expected.length);
  const desiredHealthy =
    maxUnavailable === undefined ? share(minAvailable ?? 1) : Math.max(0, expected.length - share(maxUnavailable));
  const currentHealthy = expected.filter(isReady).length;
  const disruptionsAllowed = expected.length > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const allowed = disruptionsAllowed > 0;
  const before = budget.status?.conditions?.[0];
  const status = allowed ? 'True' : 'False';
  writeStatus(objects, budgets, budget, {
    observedGeneration: budget.metadata.generation,
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods: expected.length,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status,
        observedGeneration: budget.metadata.generation,
        lastTransitionTime:
          before?.status === status ? before.lastTransitionTime : `${new Date().toISOString().slice(0, 19)}Z`,
        reason: allowed ? 'SufficientPods' : 'InsufficientPods',
        message: '',
      },
    ],
  });
}
