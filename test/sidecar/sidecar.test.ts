/** The sidecar as it ships, beside real processes: one pid namespace, one loopback, as in a pod. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentClient } from '../../src/plugin/client/client.ts';
import { addressTarget } from '../../src/plugin/targets/address.ts';
import { copyAgent, sidecarScript } from '../bed/bundles.ts';
import { freePort } from '../bed/free-port.ts';
import { until } from '../bed/until.ts';
import { bed, everyNode, listening, modes, patiently, start, useBed } from './bed.ts';

useBed();
const { 24: node } = everyNode as { 24: string };
const directory = mkdtempSync(join(tmpdir(), 'nodeops-sidecar-'));
const program = join(directory, 'sidecar.cjs');
const running: ChildProcess[] = [];

beforeAll(async () => {
  copyFileSync(await sidecarScript(), program);
  await copyAgent(directory);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function sidecar(env: Record<string, string>): Promise<ChildProcess & { said: string }> {
  const child = Object.assign(
    spawn(node, [program], { env: { NODEOPS_CONFIG_DIR: directory, ...env }, stdio: ['ignore', 'ignore', 'pipe'] }),
    { said: '' },
  );
  running.push(child);
  child.stderr.on('data', (text) => {
    child.said += text;
  });
  await until(() => child.said.includes('looking after'));
  return child;
}

function clientOf(port: number): AgentClient {
  const client = new AgentClient(addressTarget('127.0.0.1', port).endpoint);
  bed.clients.push(client);
  return client;
}

/** This machine runs more than these tests: only what they started counts. */
async function listed(client: AgentClient) {
  const { data } = await client.ask('processes');
  return data.processes.filter(({ pid }) => bed.apps.some((app) => app.pid === pid));
}

describe('the sidecar', () => {
  it('finds processes that come, answers for each on the leader and on a port of its own, and forgets those that go', async () => {
    const port = await freePort();
    await sidecar({ NODEOPS_PORT: String(port) });
    const client = clientOf(port);
    const one = await start(node, [modes, 'idle']);
    const other = await start(node, [modes, 'idle']);
    await expect.poll(() => listed(client).then(({ length }) => length), patiently).toBe(2);
    await expect
      .poll(() => client.ask('memstats', {}, { process: String(one.pid) }), patiently)
      .toMatchObject({ process: { pid: one.pid }, data: { heap: { usedBytes: expect.any(Number) } } });
    const found = (await listed(client)).find(({ pid }) => pid === other.pid)!;
    expect((await clientOf(found.port).ask('version')).process.pid).toBe(other.pid);
    await other.kill();
    await expect.poll(() => listed(client).then(({ length }) => length), patiently).toBe(1);
  });

  it('looks into one process at a time where all of them open the same port', async () => {
    const port = await freePort();
    const inspector = await freePort();
    await sidecar({ NODEOPS_PORT: String(port) });
    const one = await start(node, [`--inspect-port=${inspector}`, modes, 'idle'], {});
    const other = await start(node, [`--inspect-port=${inspector}`, modes, 'idle'], {});
    const client = clientOf(port);
    await expect.poll(() => listed(client).then(({ length }) => length), patiently).toBe(2);
    const pids = [one.pid, other.pid, one.pid];
    const answered = async () => {
      const replies = await Promise.all(pids.map((pid) => client.ask('memstats', {}, { process: String(pid) })));
      return replies.map(({ process: { pid } }) => pid);
    };
    await expect.poll(answered, patiently).toEqual(pids);
    await until(() => [one, other].every(({ pid }) => !listening(pid).includes(inspector)));
  });

  it('lists a process with the library once, whoever of both was first', async () => {
    const port = await freePort();
    const agent = { NODEOPS_PORT: String(port), NODEOPS_CONFIG_DIR: directory, NODEOPS_CONTAINER: 'library' };
    const preloaded = ['--require', join(directory, 'preload.cjs'), modes, 'idle'];
    const first = await start(node, preloaded, agent);
    await until(() => listening(first.pid).includes(port));
    await sidecar({ NODEOPS_PORT: String(port) });
    const second = await start(node, preloaded, agent);
    const plain = await start(node, [modes, 'idle']);
    const expected = [first.pid, second.pid, plain.pid].sort((a, b) => a - b);
    const pids = async () => {
      // the leader changes, and takes so many connections only
      const client = clientOf(port);
      try {
        return (await listed(client)).map(({ pid }) => pid).sort((a, b) => a - b);
      } finally {
        client.close();
      }
    };
    await expect.poll(pids, patiently).toEqual(expected);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await pids()).toEqual(expected);
    const client = clientOf(port);
    for (const pid of expected)
      await expect
        .poll(async () => (await client.ask('memstats', {}, { process: String(pid) })).process.pid, patiently)
        .toBe(pid);
    await first.kill();
    await expect.poll(pids, patiently).toEqual(expected.filter((pid) => pid !== first.pid));
  });

  it('closes what it opened when it is told to end', async () => {
    const port = await freePort();
    const child = await sidecar({ NODEOPS_PORT: String(port) });
    const app = await start(node, [modes, 'idle']);
    const client = clientOf(port);
    await expect.poll(() => listed(client).then(({ length }) => length), patiently).toBe(1);
    await client.ask('memstats', {}, { process: String(app.pid) });
    expect(listening(app.pid)).toHaveLength(1);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    await until(() => listening(app.pid).length === 0);
    expect(app.child.exitCode).toBeNull();
  });

  it('ends by itself when nobody has asked for as long as it was told', async () => {
    const child = await sidecar({ NODEOPS_PORT: String(await freePort()), NODEOPS_IDLE_EXIT_MS: '700' });
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(child.said).toContain('nobody has asked for 1 s: ending');
  });
});
