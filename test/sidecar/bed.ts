/** Real Node processes, and the payload as it ships, started on them as the plugin starts it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll } from 'vitest';
import { AgentClient } from '../../src/plugin/client/client.ts';
import { attachToPid } from '../../src/plugin/transport/attach/local.ts';
import type { Session } from '../../src/plugin/transport/attach/session.ts';
import { attachMarker } from '../../src/protocol/attach.ts';
import type { OperationName, Parameters } from '../../src/protocol/operations.ts';
import { payloadScript } from '../bed/bundles.ts';
import { until } from '../bed/until.ts';
import { App, apps, nodes } from '../inspect/harness/app.ts';

const modules = new URL('../../node_modules/', import.meta.url).pathname;
/** The Node versions that can be attached to, as far as their binaries are here. */
export const everyNode: Readonly<Record<string, string>> = { 18: join(modules, 'node18/bin/node'), ...nodes };
export const modes = join(apps, 'modes.cjs');
/** For expect.poll: starting a process takes seconds on a busy machine. */
export const patiently = { timeout: 40_000 };
export const anyPort = { NODE_OPTIONS: '--inspect-port=0' };

/** What a test file has of its own. */
export const bed = { payload: '', apps: [] as App[], clients: [] as AgentClient[], sessions: [] as Session[] };

export function useBed(): void {
  beforeAll(async () => {
    bed.payload = readFileSync(await payloadScript(), 'utf8');
  });
  afterEach(async () => {
    letGo();
    await until(() => helpers().length === 0);
    for (const app of bed.apps.splice(0)) await app.kill();
  });
}

/** Ends the connections, as a plugin that ends does. */
export function letGo(): void {
  for (const client of bed.clients.splice(0)) client.close();
  for (const session of bed.sessions.splice(0)) session.close();
}

export async function start(
  node: string,
  args: readonly string[],
  env: Record<string, string> = anyPort,
): Promise<App> {
  const app = new App(node, [...args], { env });
  bed.apps.push(app);
  return app.up();
}

/** Attaches from this process, as `--attach=exec` does to a local PID. */
export async function attach(pid: number): Promise<AgentClient> {
  const session = await attachToPid(pid, async () => bed.payload, AbortSignal.timeout(40_000));
  bed.sessions.push(session);
  const client = new AgentClient({ name: `process ${pid}`, noAgentHint: '', connect: () => session.connect() });
  bed.clients.push(client);
  return client;
}

/** Attaches, asks, and lets go. */
export async function ask<N extends OperationName>(app: App, name: N, parameters: Partial<Parameters<N>> = {}) {
  return (await attach(app.pid)).ask(name, parameters);
}

/** Payloads that run for this test's apps, whoever is their parent by now. */
export function helpers(): number[] {
  const pids = bed.apps.map(({ pid }) => String(pid));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((helper) => {
      const argv = commandLine(helper);
      const marked = argv.indexOf(attachMarker);
      return marked >= 0 && pids.includes(argv[marked + 2]!);
    });
}

export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

/** Ports on which a process listens. */
export function listening(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${name}`))?.[1];
      } catch {
        return undefined;
      }
    }),
  );
  return readFileSync(`/proc/${pid}/net/tcp`, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && inodes.has(fields[9]))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1]!, 16));
}
