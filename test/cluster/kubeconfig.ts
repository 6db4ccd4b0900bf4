import { stringify } from 'yaml';
import type { Certificate } from './api/certificates.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');

/** A kubeconfig with one cluster, one user (client certificate) and one context, everything embedded. */
export function writeKubeconfig(
  server: string,
  authority: string,
  user: string,
  { certificate, key }: Certificate,
): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'embedded', cluster: { server, 'certificate-authority-data': encode(authority) } }],
    users: [{ name: user, user: { 'client-certificate-data': encode(certificate), 'client-key-data': encode(key) } }],
    contexts: [{ name: 'embedded', context: { cluster: 'embedded', user, namespace: 'default' } }],
    'current-context': 'embedded',
  });
}
