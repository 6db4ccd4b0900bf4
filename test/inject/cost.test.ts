import { expect, it } from 'vitest';
import { clusters, only, template } from '../helm/helm.ts';
import { apiServerLimits, costOf } from './cost.ts';

it('the policy costs the API server little, for a large pod, too', async () => {
  const values = {
    engine: 'policy',
    agent: {
      delivery: 'init-container',
      readOnly: true,
      triggers: 'when rss > 1GB capture stack',
      tokenSecret: { name: 't' },
    },
    sidecar: { enabled: true },
  };
  const policy = only(await template(clusters['1.36']!, values), 'MutatingAdmissionPolicy', 'nodeops-inject');
  const env = Array.from({ length: 60 }, (_, index) => ({ name: `SETTING_${index}`, value: 'x' }));
  const containers = Array.from({ length: 20 }, (_, index) => ({ name: `c${index}`, env }));
  const metadata = { annotations: { 'nodeops.dev/inject': 'true', 'nodeops.dev/triggers-configmap': 'rules' } };
  const cost = costOf(policy, { metadata, spec: { containers } });
  // half of what one expression may cost, for all of them
  expect(cost).toBeLessThan(apiServerLimits.expression / 2);
  // each variable of each container is looked at for each of ours
  expect(cost).toBeGreaterThan(20 * 60 * 10);
});
