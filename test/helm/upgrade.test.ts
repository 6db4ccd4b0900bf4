import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { chart, helm, type Manifest, only } from './helm.ts';
import { type LookupServer, startLookupServer } from './lookup-server.ts';

let folder: string;
let server: LookupServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nodeops-upgrade-'));
  server = await startLookupServer(join(folder, 'kubeconfig'));
});
beforeEach(() => {
  server.secret = undefined;
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Renders as an upgrade would, with lookups answered by the cluster. */
async function upgrade(): Promise<Manifest[]> {
  const text = await helm(
    ...[
      'template',
      'nodeops',
      chart,
      '-n',
      'nodeops',
      '--dry-run=server',
      '--disable-openapi-validation',
      '--is-upgrade',
    ],
    ...['--set', 'engine=webhook', '--kubeconfig', join(folder, 'kubeconfig')],
  );
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);
}

const secretOf = (manifests: Manifest[]) => only(manifests, 'Secret');
const bundleOf = (manifests: Manifest[]): string =>
  only(manifests, 'MutatingWebhookConfiguration').webhooks[0].clientConfig.caBundle;
const pem = (text: string) => Buffer.from(text, 'base64').toString();
const authorities = (bundle: string) =>
  pem(bundle)
    .split(/(?<=-----END CERTIFICATE-----)\s*/)
    .filter((part) => part.includes('BEGIN'))
    .map((part) => new X509Certificate(part));
const isTrusted = (certificate: X509Certificate, bundle: string) =>
  authorities(bundle).some((authority) => certificate.verify(authority.publicKey));

it('the first installation makes a certificate for the service that the API server calls', async () => {
  const manifests = await upgrade();
  expect(server.asked).toContain('GET /api/v1/namespaces/nodeops/secrets/nodeops-inject');
  const certificate = new X509Certificate(pem(secretOf(manifests).data['tls.crt']));
  expect(certificate.checkHost('nodeops-inject.nodeops.svc')).toBe('nodeops-inject.nodeops.svc');
  expect(isTrusted(certificate, bundleOf(manifests))).toBe(true);
  expect(secretOf(manifests).data['ca.crt']).toBe(bundleOf(manifests));
});

it('an upgrade keeps the certificate, the key and the CA', async () => {
  const first = await upgrade();
  server.secret = secretOf(first);
  const second = await upgrade();
  expect(secretOf(second)).toEqual(secretOf(first));
  expect(bundleOf(second)).toBe(bundleOf(first));
});

it('an upgrade after its time renews the certificate and goes on trusting the old one', async () => {
  const first = secretOf(await upgrade());
  const old = structuredClone(first);
  old.metadata.annotations!['nodeops.dev/renew-after'] = '1000000000';
  server.secret = old;
  const renewed = await upgrade();
  const secret = secretOf(renewed);
  expect(secret.data['tls.crt']).not.toBe(first.data['tls.crt']);
  expect(isTrusted(new X509Certificate(pem(first.data['tls.crt'])), bundleOf(renewed))).toBe(true);
  expect(isTrusted(new X509Certificate(pem(secret.data['tls.crt'])), bundleOf(renewed))).toBe(true);
  expect(Number(secret.metadata.annotations!['nodeops.dev/renew-after'])).toBeGreaterThan(
    Date.now() / 1_000 + 364 * 86_400,
  );

  server.secret = structuredClone(secret);
  server.secret.metadata.annotations!['nodeops.dev/renew-after'] = '1000000000';
  expect(authorities(bundleOf(await upgrade()))).toHaveLength(2);
});

it('the notes give the next commands, for what was installed', async () => {
  const notes = await helm(
    ...['install', 'nodeops', chart, '-n', 'nodeops', '--dry-run=server', '--disable-openapi-validation'],
    ...['--set', 'engine=webhook', '--kubeconfig', join(folder, 'kubeconfig')],
  );
  expect(notes).toMatch(/2 replica\(s\) of nodeops\/nodeops-inject inject the agent/);
  expect(notes).toContain('an init container');
  for (const command of [
    'helm test nodeops -n nodeops',
    'kubectl nodeops stats deploy/api',
    '--clusterrole=nodeops-viewer',
  ])
    expect(notes).toContain(command);
  expect(notes).not.toContain('WARNING: failurePolicy');
});

it('a Secret that lacks its key is made anew', async () => {
  const first = await upgrade();
  server.secret = structuredClone(secretOf(first));
  delete server.secret.data['tls.key'];
  expect(secretOf(await upgrade()).data['tls.key']).toBeTruthy();
});
