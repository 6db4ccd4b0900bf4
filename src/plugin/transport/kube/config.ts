/** From kubectl's flags and kubeconfig to one connection: which server, which user, which namespace. */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join, resolve, sep } from 'node:path';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import {
  type ClusterEntry,
  type Kubeconfig,
  loadKubeconfig,
  type Origin,
  resolveFrom,
  type UserEntry,
} from './kubeconfig.ts';
import { identityFlags, type KubeOptions, kubectlCommand, parseGoDuration, serverFlags } from './options.ts';
import { parseProxy } from './proxy.ts';

/** Where a pod finds its service account. */
export const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Completes and validates. Throws `kubeconfig` (nothing configured, unknown names, invalid files) or `usage`. */
export async function loadConnection(
  options: KubeOptions,
  env: Readonly<Record<string, string | undefined>>,
  serviceAccount: string = serviceAccountDir,
): Promise<Connection> {
  const config = await loadKubeconfig(env, options.kubeconfig);
  const chosen = choose(config, options) ?? (await inCluster(env, serviceAccount)) ?? flagsOnly(config, options);
  const cluster = withClusterFlags(chosen.cluster, options);
  const user = withUserFlags(chosen.user, options);
  return {
    server: parseServer(cluster.server, chosen.source),
    cluster,
    user,
    source: chosen.source,
    namespace: options.namespace || chosen.namespace || 'default',
    // kubectl's default, "0", means none given
    requestTimeoutMs:
      options.requestTimeout === undefined
        ? undefined
        : parseGoDuration(options.requestTimeout, 'request-timeout') || undefined,
    kubectl: kubectlCommand([...serverFlags, ...identityFlags], options),
    administrator: kubectlCommand(serverFlags, options),
    kuberc: options.kuberc,
    env,
  };
}

interface Chosen {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  readonly namespace: string | undefined;
  readonly source: string;
}

function choose(config: Kubeconfig, options: KubeOptions): Chosen | undefined {
  const contextName = options.context || config.currentContext;
  if (!contextName && !options.cluster && !options.user) return undefined;
  const context = contextName ? find(config.contexts, 'context', contextName, config).entry : {};
  const clusterName = options.cluster || context.cluster;
  const userName = options.user || context.user;
  if (!clusterName && !options.server)
    throw new NodeopsError(
      'kubeconfig',
      contextName ? `context '${contextName}' names no cluster` : 'no cluster is chosen',
      {
        hint: 'name one with --cluster, or give --server',
      },
    );
  return {
    cluster: clusterName ? clusterPaths(find(config.clusters, 'cluster', clusterName, config)) : {},
    user: userName ? userPaths(find(config.users, 'user', userName, config)) : {},
    namespace: context.namespace,
    source: contextName ? `context '${contextName}'` : `cluster '${clusterName ?? options.server}'`,
  };
}

function find<T>(entries: ReadonlyMap<string, Origin<T>>, what: string, name: string, config: Kubeconfig): Origin<T> {
  const entry = entries.get(name);
  if (entry) return entry;
  const known = [...entries.keys()].sort();
  const where = config.files.length === 0 ? 'no kubeconfig was found' : `not in ${config.files.join(', ')}`;
  throw new NodeopsError('kubeconfig', `there is no ${what} '${name}' (${where})`, {
    hint: known.length === 0 ? 'kubectl config view' : `known ${what}s: ${known.slice(0, 50).join(', ')}`,
    detail: { [`${what}s`]: known },
  });
}

async function inCluster(env: Readonly<Record<string, string | undefined>>, dir: string): Promise<Chosen | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(dir, 'token');
  const token = await readFile(tokenFile, 'utf8').catch(() => undefined);
  if (!host || !port || token === undefined) return undefined;
  const namespace = await readFile(join(dir, 'namespace'), 'utf8').catch(() => '');
  return {
    cluster: {
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      'certificate-authority': join(dir, 'ca.crt'),
    },
    user: { tokenFile },
    namespace: env.POD_NAMESPACE || namespace.trim(),
    source: "the pod's service account",
  };
}

function flagsOnly(config: Kubeconfig, options: KubeOptions): Chosen {
  if (options.server) return { cluster: {}, user: {}, namespace: undefined, source: '--server' };
  const contexts = [...config.contexts.keys()].sort();
  if (contexts.length > 0)
    throw new NodeopsError('kubeconfig', `no context is chosen in ${config.files.join(', ')}`, {
      hint: `kubectl config use-context NAME, or --context NAME with one of: ${contexts.slice(0, 50).join(', ')}`,
      detail: { contexts },
    });
  const where = config.files.length > 0 ? `${config.files.join(', ')} names no cluster` : 'no kubeconfig was found';
  throw new NodeopsError('kubeconfig', `no cluster to talk to: ${where}`, {
    hint: 'set KUBECONFIG or give --kubeconfig FILE; kubectl config view shows what kubectl sees',
  });
}

function clusterPaths({ entry, file }: Origin<ClusterEntry>): ClusterEntry {
  if (entry['proxy-url']) parseProxy(entry['proxy-url'], `proxy-url in ${file}`);
  return withPaths(entry, file, ['certificate-authority']);
}

function userPaths({ entry, file }: Origin<UserEntry>): UserEntry {
  const user = withPaths(entry, file, ['client-certificate', 'client-key', 'tokenFile']);
  // a bare command is looked up on the PATH
  const command = user.exec?.command;
  if (!command?.includes(sep)) return user;
  return { ...user, exec: { ...user.exec, command: resolveFrom(file, command) } };
}

function withPaths<T extends object>(entry: T, file: string, keys: readonly (keyof T)[]): T {
  const resolved = { ...entry };
  for (const key of keys) {
    const path = entry[key];
    if (typeof path === 'string' && path !== '') resolved[key] = resolveFrom(file, path) as T[typeof key];
  }
  return resolved;
}

function withClusterFlags(cluster: ClusterEntry, options: KubeOptions): ClusterEntry {
  const { server, certificateAuthority, insecureSkipTlsVerify, tlsServerName, proxyUrl } = options;
  if (proxyUrl) parseProxy(proxyUrl, '--proxy-url');
  let {
    'certificate-authority': ca,
    'certificate-authority-data': caData,
    'insecure-skip-tls-verify': insecure,
  } = cluster;
  // as in client-go: a flag on either side of this question settles it, whatever the file says
  if (certificateAuthority || insecureSkipTlsVerify) {
    ca = certificateAuthority ? resolve(certificateAuthority) : undefined;
    caData = undefined;
    insecure = insecureSkipTlsVerify ?? false;
  } else if (insecureSkipTlsVerify === false) insecure = false;
  return dropUndefined<ClusterEntry>({
    server: server || cluster.server,
    'certificate-authority': ca,
    'certificate-authority-data': caData,
    'insecure-skip-tls-verify': insecure,
    'tls-server-name': tlsServerName || cluster['tls-server-name'],
    'proxy-url': proxyUrl || cluster['proxy-url'],
  });
}

function withUserFlags(user: UserEntry, options: KubeOptions): UserEntry {
  const flags: { -readonly [K in keyof UserEntry]?: UserEntry[K] | undefined } = { ...user };
  if (options.token) {
    flags.token = options.token;
    flags.tokenFile = undefined;
  }
  if (options.username) flags.username = options.username;
  if (options.password) flags.password = options.password;
  if (options.clientCertificate) {
    flags['client-certificate'] = resolve(options.clientCertificate);
    flags['client-certificate-data'] = undefined;
  }
  if (options.clientKey) {
    flags['client-key'] = resolve(options.clientKey);
    flags['client-key-data'] = undefined;
  }
  if (options.as) flags.as = options.as;
  if (options.asUid) flags['as-uid'] = options.asUid;
  if (options.asGroup?.length) flags['as-groups'] = options.asGroup;
  if (options.asUserExtra?.length) flags['as-user-extra'] = userExtra(options.asUserExtra);
  const { 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = flags;
  if (!flags.as && (uid || groups?.length || Object.keys(extra ?? {}).length > 0))
    throw new NodeopsError('usage', 'a group, uid or extra can be impersonated only together with a user', {
      hint: 'add --as USER',
    });
  return dropUndefined<UserEntry>(flags);
}

function userExtra(typed: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const text of typed) {
    const [key, value] = /^([^=]+)=(.*)$/s.exec(text)?.slice(1) ?? [];
    if (key === undefined || value === undefined)
      throw new NodeopsError('usage', `--as-user-extra is '${text.slice(0, 40)}'; it takes KEY=VALUE`);
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  return Object.fromEntries(extra);
}

function dropUndefined<T>(value: object): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

function parseServer(text: string | undefined, source: string): URL {
  const url = URL.parse(text?.includes('://') ? text : `http://${text}`);
  if (!text || !url || !/^https?:$/.test(url.protocol) || url.hostname === '')
    throw new NodeopsError(
      'kubeconfig',
      text ? `the server '${text}' of ${source} is not a URL` : `${source} names no server`,
      {
        hint: 'kubectl config set-cluster NAME --server=https://HOST:PORT',
      },
    );
  return url;
}
