import { describe, expect, it } from 'vitest';
import { budgetOf, probeBudget } from '../../../src/plugin/captures/probe-budget.ts';
import type { KubeApi } from '../../../src/plugin/transport/kube/api.ts';

describe('the budget of a liveness probe', () => {
  it.each([
    [{}, 21_000],
    [{ periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 1 }, 2_000],
    [{ periodSeconds: 30, failureThreshold: 4 }, 91_000],
  ])('%j is %i ms', (probe, budget) => {
    expect(budgetOf(probe)).toBe(budget);
  });

  const spec = {
    containers: [
      { name: 'web', livenessProbe: { periodSeconds: 5 } },
      { name: 'proxy', livenessProbe: { periodSeconds: 1 } },
      { name: 'plain' },
    ],
  };
  // what a GET of the pod answers is all that is used of the API
  const api = {
    getDated: async () => ({ value: { metadata: { name: 'api-0' }, spec }, atMs: 0 }),
  } as unknown as KubeApi;
  const name = { namespace: 'default', pod: 'api-0', container: null, pid: 7, address: null };
  const { signal } = new AbortController();

  it('is that of the container, or the smallest of the pod', async () => {
    expect(await probeBudget(api, { ...name, container: 'web' }, signal)).toBe(11_000);
    expect(await probeBudget(api, { ...name, container: 'plain' }, signal)).toBeUndefined();
    expect(await probeBudget(api, name, signal)).toBe(3_000);
  });

  it('does not exist for what is no pod', async () => {
    expect(await probeBudget(api, { ...name, pod: null }, signal)).toBeUndefined();
  });
});
