/** A kubeconfig, an API server that answers what it is told to, and one run of the doctor. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runProgram } from '../../../../src/plugin/cli/program.ts';
import { disable } from '../../../../src/plugin/commands/disable/command.ts';
import type { Check } from '../../../../src/plugin/commands/doctor/check.ts';
import { doctor } from '../../../../src/plugin/commands/doctor/command.ts';
import { enable } from '../../../../src/plugin/commands/enable/command.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import { restRecording } from '../../transport/kube/server.ts';

// set by the build otherwise
process.env.NODEOPS_VERSION ??= '0.1.0';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}
export interface Asked {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at as they come
  readonly body: any;
  readonly contentType: string | undefined;
}
/** undefined: as a cluster on which all is well, and nothing of ours installed. */
export type Rest = (asked: Asked) => Answer | undefined | Promise<Answer | undefined>;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Stage {
  readonly url: string;
  readonly directory: string;
  readonly asked: Asked[];
  /** How far the server's clock is ahead of ours, in milliseconds. */
  skewMs: number;
  rest: Rest;
  run(
    args: readonly string[],
    options?: { env?: Record<string, string>; columns?: number; signal?: AbortSignal },
  ): Promise<Ran>;
  /** The checks of `doctor ARGS -o json` by id, and its exit code. */
  doctor(...args: string[]): Promise<{ code: number; checks: Map<string, Check> }>;
  kubeconfig(user?: object, cluster?: object): Promise<string>;
  close(): Promise<void>;
}

export const json = (body: unknown, status = 200): Answer => ({ status, body });
export const list = (...items: unknown[]): Answer => json({ kind: 'List', metadata: {}, items });
export const notFound = (): Answer => ({
  status: 404,
  body: { kind: 'Status', status: 'Failure', reason: 'NotFound', message: 'not found', code: 404 },
});
export const forbid = (verb: string, resource: string, group = ''): Answer => ({
  status: 403,
  body: {
    kind: 'Status',
    reason: 'Forbidden',
    message: `${resource} is forbidden: User "jane" cannot ${verb} resource "${resource}" in API group "${group}" in the namespace "shop"`,
    code: 403,
  },
});

/** What a healthy cluster answers; recordings of a real one where there are any. */
export function healthy({ method, path, body }: Asked): Answer {
  if (path === '/version') return restRecording('version') as Answer;
  if (path.endsWith('/selfsubjectaccessreviews')) return json({ ...body, status: { allowed: true } }, 201);
  if (path.endsWith('/selfsubjectreviews'))
    return json({ ...body, status: { userInfo: { username: 'jane', groups: ['developers'] } } }, 201);
  if (path === '/api/v1/namespaces/shop')
    return json({ kind: 'Namespace', metadata: { name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop' } } });
  if (method === 'GET' && /\/(?:networkpolicies|mutating\w+|endpointslices|pods)$/.test(path)) return list();
  return notFound();
}

export async function openStage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-doctor-'));
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url!, 'http://server');
    const asked: Asked = {
      method: request.method!,
      path: url.pathname,
      query: url.searchParams,
      body: text === '' ? undefined : JSON.parse(text),
      contentType: request.headers['content-type'],
    };
    stage.asked.push(asked);
    const { status, body } = (await stage.rest(asked)) ?? healthy(asked);
    response.setHeader('Date', new Date(Date.now() + stage.skewMs).toUTCString());
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stage: Stage = {
    url,
    directory,
    asked: [],
    skewMs: 0,
    rest: () => undefined,
    async kubeconfig(user = { token: 'test-token-of-jane' }, cluster = {}) {
      const path = join(directory, 'config');
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'test',
        clusters: [{ name: 'test', cluster: { server: url, ...cluster } }],
        users: [{ name: 'jane', user }],
        contexts: [{ name: 'test', context: { cluster: 'test', user: 'jane', namespace: 'shop' } }],
      };
      await writeFile(path, JSON.stringify(config));
      return path;
    },
    run: (args, options) => runWith(args, { KUBECONFIG: join(directory, 'config'), ...options?.env }, options),
    async doctor(...args) {
      const { code, stdout } = await stage.run(['doctor', ...args, '-o', 'json']);
      const { checks } = JSON.parse(stdout) as { checks: Check[] };
      return { code, checks: new Map(checks.map((check) => [check.id, check])) };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      await rm(directory, { recursive: true, force: true });
    },
  };
  await stage.kubeconfig();
  return stage;
}

async function runWith(
  args: readonly string[],
  env: Record<string, string>,
  { columns, signal = new AbortController().signal }: { columns?: number; signal?: AbortSignal } = {},
): Promise<Ran> {
  const [stdout, stderr] = [collected(), collected()];
  const io = {
    stdin: new PassThrough(),
    stdout: Object.assign(stdout.stream, columns === undefined ? {} : { columns }),
    stderr: stderr.stream,
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    program: 'kubectl nodeops',
    executable: 'kubectl-nodeops',
    signal,
    now: () => new Date(),
  };
  let code: number;
  try {
    code = await runProgram(args, [doctor, enable, disable], io);
  } catch (error) {
    if (!(error instanceof NodeopsError)) throw error;
    const { message, hint, exitCode } = error;
    stderr.stream.write(`${message}${hint ? `; ${hint}` : ''}\n`);
    code = exitCode;
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collected() {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
