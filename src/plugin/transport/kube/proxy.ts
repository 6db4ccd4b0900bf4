/** Which proxy leads to the API server, by Go's rules (golang.org/x/net/http/httpproxy): they are what kubectl goes by. */
import { BlockList, isIP } from 'node:net';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';

export interface ProxyServer {
  readonly url: URL;
  /** What named it: `proxy-url in the kubeconfig` or a variable. */
  readonly source: string;
}

/** `proxy-url` holds for every server; a variable neither for this machine nor for what `NO_PROXY` lists. Throws `kubeconfig`. */
export function proxyTo({
  server,
  cluster,
  env,
}: Pick<Connection, 'server' | 'cluster' | 'env'>): ProxyServer | undefined {
  const configured = cluster['proxy-url'];
  if (configured) return { url: parseProxy(configured, 'proxy-url in the kubeconfig'), source: 'proxy-url' };
  const names = server.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const source = names.find((name) => env[name]);
  if (source === undefined || isDirect(server, env.NO_PROXY || env.no_proxy || '')) return undefined;
  const text = env[source]!;
  return { url: parseProxy(text.includes('://') ? text : `http://${text}`, source), source };
}

/** Without the password. */
export function proxyName({ url, source }: ProxyServer): string {
  return `${url.protocol}//${url.host} (${source})`;
}

export function parseProxy(text: string, source: string): URL {
  const url = URL.parse(text);
  if (url && /^(?:https?|socks5h?):$/.test(url.protocol) && url.hostname !== '') return url;
  // what is no URL may hold a password, too
  const said = url && !url.password ? ` ('${text.slice(0, 100)}')` : '';
  throw new NodeopsError('kubeconfig', `${source} is no address of a proxy${said}`, {
    hint: 'it takes http://, https:// or socks5://HOST:PORT',
  });
}

function isDirect({ hostname, port, protocol }: URL, noProxy: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (host === 'localhost' || inNetwork(host, '127.0.0.0', 8) || host === '::1') return true;
  const hostPort = port || (protocol === 'https:' ? '443' : '80');
  return noProxy.split(',').some((rule) => exempts(rule.trim().toLowerCase(), host, hostPort));
}

function exempts(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true;
  const [, network, bits] = /^(.+)\/(\d{1,3})$/.exec(rule) ?? [];
  if (network !== undefined && isIP(network)) return inNetwork(host, network, Number(bits));
  const [, bracketed, bracketedPort] = /^\[(.*)\](?::(\d+))?$/.exec(rule) ?? [];
  const [, plain = rule, plainPort] = /^([^:]*):(\d+)$/.exec(rule) ?? [];
  const name = bracketed ?? plain;
  const onlyPort = bracketedPort ?? plainPort;
  if (name === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
  if (isIP(name)) return inNetwork(host, name, isIP(name) === 4 ? 32 : 128);
  const domain = name.replace(/^\*\./, '.');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function inNetwork(host: string, network: string, bits: number): boolean {
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(host) === 0 || bits > (family === 'ipv4' ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}
