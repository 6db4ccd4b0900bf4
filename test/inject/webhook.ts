import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusters, only, template } from '../helm/helm.ts';

/** What the chart gives a webhook: its certificate, its settings and the CA that the API server is told. */
export interface ChartFiles {
  readonly folder: string;
  readonly ca: string;
  readonly serverName: string;
  readonly settings: string;
  remove(): Promise<void>;
}

/** Renders the chart and writes its Secret and ConfigMap as Kubernetes would mount them. */
export async function chartFiles(values: object = {}): Promise<ChartFiles> {
  const manifests = await template(clusters['1.33']!, { engine: 'webhook', ...values });
  const { data } = only(manifests, 'Secret');
  const { clientConfig } = only(manifests, 'MutatingWebhookConfiguration').webhooks[0];
  const folder = await mkdtemp(join(tmpdir(), 'nodeops-webhook-'));
  const decoded = (text: string) => Buffer.from(text, 'base64').toString();
  await Promise.all([
    writeFile(join(folder, 'tls.crt'), decoded(data['tls.crt'])),
    writeFile(join(folder, 'tls.key'), decoded(data['tls.key'])),
    writeFile(join(folder, 'settings.json'), only(manifests, 'ConfigMap').data['settings.json']),
  ]);
  return {
    folder,
    ca: decoded(clientConfig.caBundle),
    serverName: `${clientConfig.service.name}.${clientConfig.service.namespace}.svc`,
    settings: join(folder, 'settings.json'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** One request as the API server makes it: over TLS, checking the service's name against the CA of the configuration. */
export function post(
  { ca, serverName }: Pick<ChartFiles, 'ca' | 'serverName'>,
  port: number,
  path: string,
  body: string | Buffer,
  options: { method?: string; type?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: options.method ?? 'POST',
        ca,
        servername: serverName,
        agent: false,
        timeout: 20_000,
        headers: { 'content-type': options.type ?? 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.end(body);
  });
}
