import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CertificateAuthority } from '../../../cluster/api/certificates.ts';
import { installedChart } from './chart.ts';
import { forbid, list, notFound, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const endpoints =
  (...ready: boolean[]) =>
  ({ path }: { path: string }) =>
    path.endsWith('/namespaces/nodeops/endpointslices')
      ? list({ endpoints: ready.map((each) => ({ conditions: { ready: each } })) })
      : undefined;

describe('the policy engine, as the chart installs it', () => {
  it('is found, bound and of a version', async () => {
    stage.rest = await installedChart('1.36');
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect(checks.get('engine')).toMatchObject({ status: 'ok', detail: 'policy nodeops-inject of 0.1.0' });
    expect(checks.get('engine.health')).toMatchObject({ status: 'ok' });
    expect(checks.get('engine.namespace')).toMatchObject({ status: 'ok' });
  });

  it('fails without its binding', async () => {
    stage.rest = await installedChart('1.36', (all) => all.filter(({ kind }) => !kind.endsWith('Binding')));
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    expect(checks.get('engine')).toMatchObject({ status: 'fail' });
    expect(checks.get('engine')?.detail).toContain('no MutatingAdmissionPolicyBinding');
  });

  it('warns where the namespace is excluded', async () => {
    stage.rest = await installedChart('1.36', undefined, {
      values: { namespaces: { excluded: ['kube-system', 'shop'] } },
    });
    const { checks } = await stage.doctor();
    expect(checks.get('engine.namespace')).toMatchObject({ status: 'warn' });
  });

  it('may be there unseen: whoever may not list it is told so', async () => {
    stage.rest = ({ path }) =>
      path.includes('admissionregistration')
        ? forbid('list', path.split('/').at(-1)!, 'admissionregistration.k8s.io')
        : undefined;
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect(checks.get('engine')).toMatchObject({ status: 'skip' });
    expect(checks.get('engine')?.detail).toMatch(/may not list mutatingadmissionpolicies,/);
  });
});

describe('the webhook engine, as the chart installs it', () => {
  const withBundle = (caBundle: string) =>
    installedChart('1.33', (all) => {
      for (const { kind, webhooks } of all)
        if (kind === 'MutatingWebhookConfiguration')
          for (const { clientConfig } of webhooks) clientConfig.caBundle = caBundle;
      return all;
    });
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it('is healthy with a certificate and ready pods, on a server that knows no policies', async () => {
    const chart = await installedChart('1.33');
    stage.rest = (asked) =>
      asked.path.includes('/mutatingadmission') ? notFound() : (endpoints(true, true)(asked) ?? chart(asked));
    const { code, checks } = await stage.doctor();
    expect(code).toBe(0);
    expect(checks.get('engine')).toMatchObject({ status: 'ok', detail: 'webhook nodeops-inject of 0.1.0' });
    expect(checks.get('engine.health')?.detail).toMatch(/^webhook nodeops-inject: 2 ready, trusted until 20\d\d-/);
  });

  it('fails without a ready pod behind its service', async () => {
    const chart = await installedChart('1.33');
    stage.rest = (asked) => endpoints(false)(asked) ?? chart(asked);
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    expect(checks.get('engine.health')?.detail).toContain('service nodeops/nodeops-inject has no ready pod');
    expect(checks.get('engine.health')?.remedy?.run?.[0]).toContain('-n nodeops');
  });

  it.each([
    ['', 'no caBundle'],
    [base64('nothing'), 'holds no certificate'],
    [
      base64(new CertificateAuthority().issue({ commonName: 'old', notAfter: new Date('2025-02-03') }).certificate),
      'expired 2025-02-03',
    ],
  ])('fails with the caBundle %.10s', async (caBundle, said) => {
    const chart = await withBundle(caBundle);
    stage.rest = (asked) => endpoints(true)(asked) ?? chart(asked);
    const { code, checks } = await stage.doctor();
    expect(code).toBe(1);
    expect(checks.get('engine.health')?.detail).toContain(said);
  });

  it('warns of failurePolicy Fail', async () => {
    const chart = await installedChart('1.33', undefined, { values: { webhook: { failurePolicy: 'Fail' } } });
    stage.rest = (asked) => endpoints(true)(asked) ?? chart(asked);
    const { checks } = await stage.doctor();
    expect(checks.get('engine.health')).toMatchObject({ status: 'warn' });
  });
});
