/** Bundles the agent into a directory of its own and runs real Node processes with it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { copyAgent } from '../bed/bundles.ts';
import { freePort } from '../bed/free-port.ts';
import { until } from '../bed/until.ts';

export const versions = { 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' } as const;
export const nodeOf = (version: keyof typeof versions) => join('node_modules', versions[version], 'bin', 'node');

export interface App {
  readonly child: ChildProcess;
  readonly pid: number;
  output(): string;
  /** Resolves when the output contains `text`. */
  says(text: string): Promise<void>;
  ended: Promise<{ code: number | null; signal: string | null }>;
}
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: replies are looked at as they come
  readonly body: any;
}
interface Start {
  readonly node?: string;
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Record<string, string | undefined>;
  /** A command that runs the command. */
  readonly within?: readonly string[];
  readonly stdin?: 'ignore' | 'pipe';
}

/** What a test file has of its own: the agent's files, a config directory, a port. Processes end with each test. */
export const bed = {
  dir: '',
  preload: '',
  configDir: '',
  port: 0,
  apps: [] as App[],
};

export function useBed(): void {
  beforeAll(async () => {
    bed.dir = mkdtempSync(join(tmpdir(), 'nodeops-agent-'));
    bed.preload = join(bed.dir, 'preload.cjs');
    await copyAgent(bed.dir);
  });
  afterAll(() => rmSync(bed.dir, { recursive: true, force: true }));
  afterEach(async () => {
    for (const { child } of bed.apps) child.kill('SIGKILL');
    await Promise.all(bed.apps.map(({ ended }) => ended));
    bed.apps = [];
  });
}

/** A port and config directory that no earlier test has used. */
export async function fresh(): Promise<void> {
  bed.configDir = mkdtempSync(join(bed.dir, 'config-'));
  bed.port = await freePort();
}

/** Writes a program and returns its path. */
export function program(name: string, source: string): string {
  const path = join(bed.dir, name);
  writeFileSync(path, source);
  return path;
}

export function start(
  script: string,
  { node = nodeOf(24), flags = ['--require', bed.preload], ...rest }: Start = {},
): App {
  const [command, ...args] = [...(rest.within ?? []), node, ...flags, script, ...(rest.args ?? [])] as [
    string,
    ...string[],
  ];
  const child = spawn(command, args, {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NODEOPS_CONFIG_DIR: bed.configDir,
      NODEOPS_PORT: String(bed.port),
      ...rest.env,
    },
    stdio: [rest.stdin ?? 'ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let woken: (() => void)[] = [];
  const hear = (chunk: Buffer) => {
    output += chunk;
    for (const wake of woken.splice(0)) wake();
  };
  child.stdout!.on('data', hear);
  child.stderr!.on('data', hear);
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => {
      resolve({ code, signal });
      for (const wake of woken.splice(0)) wake();
    }),
  );
  const app: App = {
    child,
    pid: child.pid!,
    output: () => output,
    ended,
    async says(text) {
      while (!output.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before saying '${text}': ${output}`);
        await new Promise<void>((resolve) => (woken = [...woken, resolve]));
      }
    },
  };
  bed.apps.push(app);
  return app;
}

/** Asks an agent; headers given replace the usual ones, undefined leaves one out. */
export function ask(
  path: string,
  {
    port = bed.port,
    headers = {},
    method = 'GET',
    body = '',
  }: { port?: number; headers?: Record<string, string | undefined>; method?: string; body?: string } = {},
): Promise<Reply> {
  const given = Object.fromEntries(
    Object.entries({ 'x-nodeops': '1', ...headers }).filter(([, value]) => value !== undefined),
  );
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path: `/v1/${path}`, method, headers: given as Record<string, string>, agent: false },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        reply.on('end', () => resolve({ status: reply.statusCode!, headers: reply.headers, body: JSON.parse(text) }));
      },
    );
    asked.on('error', reject);
    asked.setTimeout(30_000, () => asked.destroy(new Error('no answer in 30 s')));
    asked.end(body);
  });
}

/** Tries until it does not throw. */
export const eventually = <T>(attempt: () => T | Promise<T>, withinMs = 30_000) => until(attempt, { withinMs });

/** Waits until the leader lists exactly these processes. */
export function listed(pids: readonly number[], port = bed.port): Promise<Reply> {
  return until(async () => {
    const reply = await ask('processes', { port });
    const found = reply.body.data.processes.map((info: { pid: number }) => info.pid).sort();
    if (JSON.stringify(found) !== JSON.stringify([...pids].sort())) throw new Error(`listed are ${found}, not ${pids}`);
    return reply;
  });
}

/** Sends bytes and returns all that comes back until the end. */
export function raw(bytes: string | Uint8Array, port = bed.port, end = false): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => (end ? socket.end(bytes) : socket.write(bytes)));
    socket.on('data', (chunk) => (got += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
  });
}

export const server = `require('http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () => console.log('up'));`;
