/**
 * A connection's TLS settings, headers and agent. Tokens, certificates and passwords are read here, since loading
 * `@kubernetes/client-node` takes longer (70 ms) than asking a pod; its credential plugins, legacy auth providers and
 * proxies are loaded when a kubeconfig needs them.
 */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import { askPlugin } from './credential-plugin.ts';
import { checkUser } from './credential-policy.ts';
import type { Credentials, HttpsOptions } from './https-options.ts';
import type { UserEntry } from './kubeconfig.ts';
import { type ProxyServer, proxyTo } from './proxy.ts';

/**
 * What a credential plugin says on its stderr (such as where to log in) goes on to `stderr` as it comes.
 * Throws `kubeconfig` for files that cannot be read, `unauthenticated` when a credential plugin fails.
 */
export async function loadCredentials(connection: Connection, stderr?: NodeJS.WritableStream): Promise<Credentials> {
  const { cluster, user } = connection;
  const options: HttpsOptions = { headers: impersonation(user) };
  if (cluster['insecure-skip-tls-verify']) options.rejectUnauthorized = false;
  if (cluster['tls-server-name']) options.servername = cluster['tls-server-name'];
  const [ca, cert, key] = await Promise.all([
    bytes(cluster['certificate-authority-data'], cluster['certificate-authority']),
    bytes(user['client-certificate-data'], user['client-certificate']),
    bytes(user['client-key-data'], user['client-key']),
  ]);
  if (cert && !key) throw keyMissing(connection);
  if (ca) options.ca = ca;
  if (cert) options.cert = cert;
  if (key) options.key = key;
  const kind =
    (await applyAuthorization(connection, options, stderr)) ?? (cert ? 'a client certificate' : 'no credentials');
  const proxy = proxyTo(connection);
  const agent = proxy ? await proxyAgent(connection, proxy, options) : directAgent(connection, options);
  const { headers, agent: _, ...tls } = options;
  return { headers, tls, agent, kind };
}

function keyMissing({ user, source, kubectl }: Connection): NodeopsError {
  const named = user['client-certificate-data'] ? 'client-certificate-data' : user['client-certificate'];
  const message = `the client certificate of ${source} (${named}) has no key: client-key and client-key-data are missing`;
  return new NodeopsError('kubeconfig', message, { hint: `give --client-key FILE, or see: ${kubectl} config view` });
}

function impersonation(user: UserEntry): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (user.as) headers['Impersonate-User'] = user.as;
  if (user['as-uid']) headers['Impersonate-Uid'] = user['as-uid'];
  if (user['as-groups']?.length) headers['Impersonate-Group'] = [...user['as-groups']];
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {}))
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = [...values];
  return headers;
}

/** Data wins over a file, as in client-go. */
async function bytes(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return file ? readCredential(file) : undefined;
}

async function readCredential(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new NodeopsError(
      'kubeconfig',
      `cannot read ${file}, which the kubeconfig names: ${(error as Error).message}`,
      {
        cause: error,
        hint: 'kubectl config view',
      },
    );
  }
}

/** What was applied, in words; undefined for nothing. An explicit token or password keeps plugins from being asked. */
async function applyAuthorization(
  connection: Connection,
  options: HttpsOptions,
  stderr: NodeJS.WritableStream | undefined,
): Promise<string | undefined> {
  const { user } = connection;
  const token = user.tokenFile ? (await readCredential(user.tokenFile)).toString().trim() || user.token : user.token;
  if (token) {
    options.headers.Authorization = `Bearer ${token}`;
    return 'a bearer token';
  }
  if (user.username) {
    options.headers.Authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
    return 'a user name and password';
  }
  checkUser(user, connection);
  if (user.exec) {
    await askPlugin(connection, user.exec, options, stderr);
    return `the credential plugin '${user.exec.command}'`;
  }
  if (user['auth-provider']) {
    await askProvider(connection, options);
    return `the auth provider '${user['auth-provider'].name}'`;
  }
  return undefined;
}

async function askProvider(connection: Connection, options: HttpsOptions): Promise<void> {
  try {
    const config = await libraryConfig(connection);
    await config.applyToHTTPSOptions(options as never);
  } catch (error) {
    const name = connection.user['auth-provider']?.name;
    throw new NodeopsError(
      'unauthenticated',
      `the auth provider '${name}' of the kubeconfig failed: ${(error as Error).message}`,
      {
        cause: error,
        hint: `${connection.kubectl} auth whoami`,
      },
    );
  }
}

/** Node's own proxies are there from 22.21 only, and know no SOCKS. */
async function proxyAgent(connection: Connection, proxy: ProxyServer, { agent: _, ...options }: HttpsOptions) {
  const { url } = proxy;
  // as in Go, names are resolved by the proxy
  const proxyUrl = url.href.replace(/^socks5:/, 'socks5h:');
  const cluster = { ...connection.cluster, 'proxy-url': proxyUrl };
  const merged: HttpsOptions = { ...options };
  await (await libraryConfig({ ...connection, cluster, user: {} })).applyToHTTPSOptions(merged as never);
  // the library makes agents that close after each request
  return Object.assign(merged.agent!, { keepAlive: true });
}

async function libraryConfig({ server, cluster, user }: Connection) {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    {
      name: 'cluster',
      server: server.href.replace(/\/$/, ''),
      skipTLSVerify: cluster['insecure-skip-tls-verify'] ?? server.protocol === 'http:',
      ...(cluster['certificate-authority-data']
        ? { caData: cluster['certificate-authority-data'] }
        : { caFile: cluster['certificate-authority'] }),
      tlsServerName: cluster['tls-server-name'],
      proxyUrl: cluster['proxy-url'],
    } as never,
    { name: 'user', authProvider: user['auth-provider'] },
  );
  return config;
}

function directAgent({ server }: Connection, { headers: _, agent: __, ...tls }: HttpsOptions): http.Agent {
  return server.protocol === 'https:'
    ? new https.Agent({ keepAlive: true, ...tls })
    : new http.Agent({ keepAlive: true });
}
