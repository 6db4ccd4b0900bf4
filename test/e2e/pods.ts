/** Manifests of the pods that tests look at. */
import type { Bed } from './bed.ts';

export interface ContainerOptions {
  readonly name?: string;
  /** JavaScript run by `node -e`. */
  readonly script: string;
  /** Whether the agent is loaded. @default true */
  readonly agent?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly resources?: object;
  readonly image?: string;
  readonly args?: readonly string[];
}

export function container(bed: Bed, options: ContainerOptions): object {
  const { name = 'app', script, agent = true, env = {}, image = bed.image, args = [] } = options;
  const variables: Record<string, string> = agent
    ? { NODE_OPTIONS: '--require=/nodeops/preload.cjs', NODEOPS_CONTAINER: name, ...env }
    : { ...env };
  return {
    name,
    image,
    // a real node may have the image and no registry to ask for a newer one
    imagePullPolicy: 'IfNotPresent',
    // behind the image's own entry, which is Node or passes options on to it: where Node is differs, and so does the PATH
    args: [...args, '-e', script],
    env: Object.entries(variables).map(([key, value]) => ({ name: key, value })),
    volumeMounts: [{ name: 'nodeops', mountPath: '/nodeops', readOnly: true }],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    },
    ...(options.resources ? { resources: options.resources } : {}),
  };
}

export function pod(name: string, containers: readonly object[], spec: object = {}, labels: object = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name, ...labels } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers,
      volumes: [{ name: 'nodeops', configMap: { name: 'nodeops-agent' } }],
      ...spec,
    },
  };
}

/** An HTTP server that does nothing until asked. */
export const healthy = `
  const http = require('node:http');
  http.createServer((request, response) => response.end('ok')).listen(3000);
`;

/** Serves for a moment, then never returns to its loop. Its main thread takes what CPU others leave: it burns as long as a test file runs. */
export const blocked = `
  function innermost() { for (;;) {} }
  function handleOrder() { require('node:os').setPriority(19); innermost(); }
  require('node:http').createServer(() => {}).listen(3000);
  setTimeout(handleOrder, 300);
`;

/** Keeps everything it allocates. */
export const leaking = `
  const kept = [];
  setInterval(function remember() { kept.push(new Array(1000).fill(kept.length)); }, 10);
`;

/** Stuck in a system call that JavaScript cannot interrupt, until a child without agent ends. */
export const nativeBlock = `
  const wait = ['-e', 'setTimeout(() => {}, 600_000)'];
  setTimeout(() => require('node:child_process').spawnSync(process.execPath, wait, { env: {} }), 300);
`;

/** What a service does to itself under load: a request every so many milliseconds. */
const loaded = (path: string, everyMs: number) => `
  setInterval(() => {
    const asked = http.get({ port: 3000, path: '${path}', agent: false }, (reply) => reply.resume());
    asked.on('error', () => {});
  }, ${everyMs});
`;

/** Serves, and is asked now and then. */
export const calm = `${healthy}${loaded('/', 500).replaceAll('http.get', "require('node:http').get")}`;

/** Serves, and is asked all the time. */
export const serving = `${healthy}${loaded('/', 50).replaceAll('http.get', "require('node:http').get")}`;

/** Checks passwords on the main thread: each takes long by itself, also where the machine has little time for it, and there are few of them. */
export const hashing = `
  const http = require('node:http');
  const { scryptSync } = require('node:crypto');
  function verifyPassword(password) { return scryptSync(password, 'salt', 64, { N: 32768, p: 5, maxmem: 1e8 }).toString('hex'); }
  function login(request, response) { response.end(verifyPassword('secret')); }
  http.createServer(login).listen(3000, '127.0.0.1');
  ${loaded('/login', 1_200)}
`;

/** Keeps every session. */
export const forgetful = `
  const http = require('node:http');
  const sessions = new Map();
  function createSession() { sessions.set(sessions.size, { at: Date.now(), cart: Array.from({ length: 400 }, (_, n) => ({ n })) }); }
  http.createServer((request, response) => { createSession(); response.end('ok'); }).listen(3000, '127.0.0.1');
  ${loaded('/', 10)}
`;

/** Asks an upstream that never answers, by itself and not without end. */
export const polling = `
  const http = require('node:http');
  require('node:net').createServer(() => {}).listen(3001, '127.0.0.1');
  http.createServer((request, response) => response.end('ok')).listen(3000);
  let asked = 0;
  function loadPrices() { http.get({ port: 3001, path: '/prices', agent: false }).on('error', () => {}); }
  const timer = setInterval(() => (++asked <= 40 ? loadPrices() : clearInterval(timer)), 100);
`;

/** Asks an upstream that never answers. */
export const waiting = `
  const http = require('node:http');
  http.createServer(() => {}).listen(3001, '127.0.0.1');
  function loadPrices(response) { http.get({ port: 3001, path: '/prices' }, (reply) => reply.pipe(response)).on('error', () => {}); }
  http.createServer((request, response) => loadPrices(response)).listen(3000, '127.0.0.1');
  ${loaded('/orders', 150)}
`;
