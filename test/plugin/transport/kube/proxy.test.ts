import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { KubeApi } from '../../../../src/plugin/transport/kube/api.ts';
import { loadConnection } from '../../../../src/plugin/transport/kube/config.ts';
import type { KubeOptions } from '../../../../src/plugin/transport/kube/options.ts';
import { proxyTo } from '../../../../src/plugin/transport/kube/proxy.ts';
import { CertificateAuthority } from '../../../cluster/api/certificates.ts';
import { startServer, type TestServer } from './server.ts';

const authority = new CertificateAuthority();
const { certificate: cert, key } = authority.issue({ commonName: 'apiserver', hosts: ['apiserver.test'] });

let dir: string;
let server: TestServer;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nodeops-proxy-'));
  server = await startServer({ rest: () => ({ status: 200, body: { ok: true } }), tls: { cert, key } });
});
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The API server by a name that only the proxies of these tests know. */
const named = () => `https://apiserver.test:${new URL(server.url).port}`;

async function apiFor(cluster: object, env: Record<string, string>, flags: KubeOptions = {}): Promise<KubeApi> {
  const config = {
    'current-context': 'x',
    clusters: [
      {
        name: 'x',
        cluster: {
          server: named(),
          'certificate-authority-data': Buffer.from(authority.certificate).toString('base64'),
          ...cluster,
        },
      },
    ],
    users: [{ name: 'x', user: { token: 'through-proxy' } }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
  };
  await writeFile(join(dir, 'config'), stringify(config));
  const api = new KubeApi(await loadConnection(flags, { KUBECONFIG: join(dir, 'config'), ...env }));
  closing.unshift(() => api.close());
  return api;
}

async function listen(proxy: Server): Promise<string> {
  const open = new Set<Socket>();
  proxy.on('connection', (socket: Socket) => open.add(socket.on('error', () => {})));
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  closing.push(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((done) => proxy.close(done));
  });
  return `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

async function httpProxy(answer = 'HTTP/1.1 200 OK'): Promise<{ address: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    tunnels.push(request.url!);
    socket.on('error', () => {});
    if (!answer.includes('200')) return socket.end(`${answer}\r\n\r\n`);
    const upstream = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
      socket.write(`${answer}\r\n\r\n`);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
  });
  return { address: await listen(proxy), tunnels };
}

/** SOCKS 5 without authentication (RFC 1928), for names. */
async function socksProxy(): Promise<{ address: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const proxy = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.of(5, 0));
      socket.once('data', (request: Buffer) => {
        const end = 5 + request[4]!;
        tunnels.push(`${request.toString('utf8', 5, end)}:${request.readUInt16BE(end)}`);
        const upstream = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
          socket.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          upstream.pipe(socket).pipe(upstream);
        });
        upstream.on('error', () => socket.destroy());
      });
    });
  });
  return { address: await listen(proxy), tunnels };
}

describe('the API server is reached through', () => {
  it.each<[string, (address: string) => [object, Record<string, string>]]>([
    ['proxy-url of the cluster', (address: string) => [{ 'proxy-url': `http://${address}` }, {}]],
    ['HTTPS_PROXY', (address: string) => [{}, { HTTPS_PROXY: `http://${address}` }]],
    ['https_proxy without a scheme', (address: string) => [{}, { https_proxy: address }]],
  ])('%s', async (_, given) => {
    const { address, tunnels } = await httpProxy();
    const api = await apiFor(...given(address));
    expect(await api.get('/version')).toEqual({ ok: true });
    expect(await api.get('/version')).toEqual({ ok: true });
    expect(tunnels).toEqual([new URL(named()).host]);
    expect(server.seen.at(-1)!.headers.authorization).toBe('Bearer through-proxy');
  });

  it('--proxy-url, whatever the kubeconfig says', async () => {
    const { address, tunnels } = await httpProxy();
    const api = await apiFor({ 'proxy-url': 'http://127.0.0.1:1' }, {}, { proxyUrl: `http://${address}` });
    expect(await api.get('/version')).toEqual({ ok: true });
    expect(tunnels).toEqual([new URL(named()).host]);
    await expect(apiFor({}, {}, { proxyUrl: 'nonsense' })).rejects.toThrow('--proxy-url is no address of a proxy');
  });

  it('a SOCKS proxy, which resolves its name', async () => {
    const { address, tunnels } = await socksProxy();
    const api = await apiFor({ 'proxy-url': `socks5://${address}` }, {});
    expect(await api.get('/version')).toEqual({ ok: true });
    expect(tunnels).toEqual([new URL(named()).host]);
  });
});

describe('which proxy, by the rules of kubectl', () => {
  const proxied = (server: string, env: Record<string, string>) =>
    proxyTo({ server: new URL(server), cluster: {}, env: { HTTPS_PROXY: 'http://proxy.test:3128', ...env } }) !==
    undefined;

  it.each(['https://localhost:6443', 'https://127.0.0.1:6443', 'https://127.8.0.1', 'https://[::1]:6443'])(
    'none to %s',
    (server) => {
      expect(proxied(server, {})).toBe(false);
    },
  );

  it.each([
    ['https://example.test', 'example.test'],
    ['https://api.example.test', 'example.test'],
    ['https://api.example.test', '.example.test'],
    ['https://api.example.test', '*.example.test'],
    ['https://API.example.test', 'other.test, Example.TEST'],
    ['https://example.test:6443', 'example.test:6443'],
    ['https://example.test', 'example.test:443'],
    ['https://10.1.2.3:6443', '10.0.0.0/8'],
    ['https://10.1.2.3:6443', '10.1.2.3'],
    ['https://10.1.2.3:6443', '10.1.2.3:6443'],
    ['https://[fd00::1]:6443', 'fd00::/8'],
    ['https://[fd00::1]:6443', '[fd00::1]:6443'],
    ['https://[fd00::1]:6443', 'fd00::1'],
    ['https://anything.test', 'x,*'],
  ])('none to %s with NO_PROXY=%s', (server, NO_PROXY) => {
    expect(proxied(server, { NO_PROXY })).toBe(false);
    expect(proxied(server, { no_proxy: NO_PROXY })).toBe(false);
  });

  it.each([
    ['https://example.test', ''],
    ['https://example.test', '.example.test'],
    ['https://example.test', '*.example.test'],
    ['https://notexample.test', 'example.test'],
    ['https://example.test:6443', 'example.test:443'],
    ['https://11.1.2.3', '10.0.0.0/8'],
    ['https://10.1.2.3', '10.1.2.3:6443'],
    ['https://10.1.2.3', '10.1.2.0/99,:443,[],/8'],
    ['https://host.10.1.2.3.test', '10.1.2.3'],
    ['https://[fd00::1]', 'fe80::/10'],
  ])('one to %s with NO_PROXY=%s', (server, NO_PROXY) => {
    expect(proxied(server, { NO_PROXY })).toBe(true);
  });

  it('proxy-url holds for this machine and whatever NO_PROXY says; HTTPS_PROXY not for http://', () => {
    const cluster = { 'proxy-url': 'http://proxy.test:3128' };
    const local = { server: new URL('https://127.0.0.1:6443'), env: { NO_PROXY: '*' } };
    expect(proxyTo({ ...local, cluster })?.url.host).toBe('proxy.test:3128');
    expect(proxied('http://example.test', {})).toBe(false);
    expect(proxied('http://example.test', { HTTP_PROXY: 'proxy.test' })).toBe(true);
  });
});

describe('an error', () => {
  it('names the proxy, without its password, and where it is set', async () => {
    const { address } = await httpProxy('HTTP/1.1 407 Proxy Authentication Required');
    const api = await apiFor({}, { HTTPS_PROXY: `http://jane:secret@${address}` });
    await expect(api.get('/version')).rejects.toMatchObject({
      code: 'unreachable',
      message: `cannot reach the API server ${named()} (context 'x') through the proxy http://${address} (HTTPS_PROXY): the proxy answered 407`,
      hint: 'check HTTPS_PROXY and NO_PROXY, then: kubectl cluster-info',
    });
  });

  it.each(['ftp://proxy.test', 'proxy.test:3128', '://', 'socks4://proxy.test'])(
    "is a proxy-url of '%s', with the file it stands in",
    async (url) => {
      await expect(apiFor({ 'proxy-url': url }, {})).rejects.toMatchObject({
        code: 'kubeconfig',
        message: expect.stringContaining(`proxy-url in ${join(dir, 'config')} is no address of a proxy`),
        hint: 'it takes http://, https:// or socks5://HOST:PORT',
      });
    },
  );

  it('is a variable that holds something else, by its name', async () => {
    const api = await apiFor({}, { https_proxy: 'ftp://proxy.test' });
    await expect(api.get('/version')).rejects.toMatchObject({
      code: 'kubeconfig',
      message: "https_proxy is no address of a proxy ('ftp://proxy.test')",
    });
  });
});
