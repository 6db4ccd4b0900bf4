import { expect, it } from 'vitest';
import { podTargets } from '../../../src/plugin/targets/selection.ts';
import type { KubeApi } from '../../../src/plugin/transport/kube/api.ts';
import type { Pod } from '../../../src/plugin/transport/kube/pods.ts';

const pod = (name: string, { phase = 'Running', ending = false } = {}): Pod => ({
  metadata: { namespace: 'shop', name, ...(ending ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
  spec: { containers: [{ name: 'app' }] },
  status: { phase },
});
const names = (...pods: Pod[]) =>
  podTargets({} as KubeApi, pods, { port: 8848, container: undefined, pid: undefined }).map(
    ({ endpoint }) => endpoint.pod?.name,
  );

it('a selection has its pods by name, as people count', () => {
  expect(names(pod('api-10'), pod('api-9'), pod('api-1'))).toEqual(['api-1', 'api-9', 'api-10']);
});

it('leaves out pods that have completed', () => {
  expect(names(pod('a', { phase: 'Succeeded' }), pod('b', { phase: 'Failed' }), pod('c'))).toEqual(['c']);
});

it('leaves out pods that are being deleted, unless there are no others', () => {
  expect(names(pod('old', { ending: true }), pod('new'))).toEqual(['new']);
  expect(names(pod('one', { ending: true }), pod('two', { ending: true }))).toEqual(['one', 'two']);
});
