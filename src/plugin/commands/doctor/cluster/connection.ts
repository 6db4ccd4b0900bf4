/** From kubeconfig to a client that has its credentials. Nothing is sent yet. */
import { X509Certificate } from 'node:crypto';
import { homedir } from 'node:os';
import { delimiter } from 'node:path';
import { Writable } from 'node:stream';
import { KubeApi } from '../../../transport/kube/api.ts';
import { loadConnection } from '../../../transport/kube/config.ts';
import type { Credentials } from '../../../transport/kube/https-options.ts';
import { type Kubeconfig, loadKubeconfig } from '../../../transport/kube/kubeconfig.ts';
import { type Finding, fail, ok, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';

/** A credential plugin may open a browser. */
const pluginTimeoutMs = 125_000;
/** A certificate that ends sooner is worth a word. */
const soonMs = 24 * 3_600_000;

export interface ConnectionLinks {
  /** The client, before anything was asked; its namespace is known. */
  readonly context: Link<KubeApi>;
  /** The client with its credentials read. */
  readonly credentials: Link<KubeApi>;
}

export function examineConnection(exam: Examination, around: Surroundings): ConnectionLinks {
  const { kube, io, secrets } = around;
  const kubeconfig = exam.link({ id: 'kubeconfig', what: 'kubeconfig', needs: [] }, async () => {
    const config = await loadKubeconfig(io.env, kube.kubeconfig);
    secrets.addKubeconfig(config);
    return kubeconfigFinding(config, around);
  });
  const context = exam.link({ id: 'context', what: 'context', needs: [kubeconfig] }, async () => {
    const connection = await loadConnection(kube, io.env);
    const api = new KubeApi(connection, { now: () => io.now().getTime(), stderr: masked(around) });
    const where = `${connection.source}, namespace ${connection.namespace}, ${connection.server.origin}`;
    if (connection.server.protocol === 'http:' && !isLoopback(connection.server.hostname))
      return warn(
        `${where}: without TLS, so that tokens can be read on the way`,
        { say: 'use an https:// server' },
        api,
      );
    if (connection.cluster['insecure-skip-tls-verify'])
      return warn(`${where}: its certificate is not checked`, insecureRemedy(connection.kubectl), api);
    return ok(where, api);
  });
  const credentials = exam.link(
    { id: 'credentials', what: 'credentials', needs: [context], timeoutMs: pluginTimeoutMs },
    async (_, api) => {
      const read = await api.credentials();
      secrets.addCredentials(read);
      return credentialsFinding(api, read, io.now().getTime());
    },
  );
  return { context, credentials };
}

/** What a credential plugin says, such as where to log in, goes on to whoever waits for it. */
function masked({ io, secrets }: Surroundings): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      io.stderr.write(secrets.text(chunk.toString()));
      done();
    },
  });
}

function kubeconfigFinding({ files }: Kubeconfig, { kube, io }: Surroundings): Finding {
  const listed = (kube.kubeconfig ?? io.env.KUBECONFIG ?? '').split(delimiter).filter((file) => file !== '');
  if (files.length > 0) {
    const missing = kube.kubeconfig ? 0 : new Set(listed).size - files.length;
    const read = files.map(shortPath).join(', ');
    return listed.length > 1 && missing > 0
      ? warn(`${read}; ${missing} more of KUBECONFIG ${missing === 1 ? 'is' : 'are'} not there`, {
          say: 'missing files are skipped, as kubectl does; take them out of KUBECONFIG if they are not meant to be',
        })
      : ok(read);
  }
  if (kube.server) return ok('none, --server is given');
  if (io.env.KUBERNETES_SERVICE_HOST) return ok("none, the pod's service account is used");
  return fail(`none: ${listed.length > 0 ? 'no file of KUBECONFIG is there' : 'there is no ~/.kube/config'}`, {
    say: 'name one, or get one from whoever runs the cluster:',
    run: ['export KUBECONFIG=FILE'],
  });
}

function shortPath(path: string): string {
  const home = homedir();
  return home !== '' && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
}

function insecureRemedy(kubectl: string) {
  return {
    say: "name the cluster's certificate authority instead of insecure-skip-tls-verify:",
    run: [`${kubectl} config set-cluster NAME --certificate-authority=FILE --embed-certs`],
  };
}

function credentialsFinding(api: KubeApi, { kind, tls, headers }: Credentials, nowMs: number): Finding<KubeApi> {
  const whoami = { say: 'log in again, then check with:', run: [`${api.connection.kubectl} auth whoami`] };
  const endMs = endOf(tls.cert, String(headers.Authorization ?? ''));
  if (endMs !== undefined && endMs <= nowMs) return fail(`${kind}, expired ${new Date(endMs).toISOString()}`, whoami);
  if (endMs !== undefined && tls.cert && endMs - nowMs < soonMs)
    return warn(`${kind}, expires ${new Date(endMs).toISOString()}`, whoami, api);
  return ok(kind, api);
}

/** When a certificate or token ends, where it says so. */
function endOf(cert: Buffer | string | undefined, authorization: string): number | undefined {
  try {
    const payload = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/.exec(authorization)?.[1];
    if (payload) return JSON.parse(Buffer.from(payload, 'base64url').toString()).exp * 1_000 || undefined;
    return cert ? Date.parse(new X509Certificate(cert).validTo) : undefined;
  } catch {
    return undefined;
  }
}
