/** What containers have kept, served by the sidecar while no agent of theirs runs: real crashes, real files. */
import { execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { containers } from '../../src/inject/paths.ts';
import { AgentClient } from '../../src/plugin/client/client.ts';
import { addressTarget } from '../../src/plugin/targets/address.ts';
import { sidecarContainer } from '../../src/protocol/attach.ts';
import type { OperationName, Parameters } from '../../src/protocol/operations.ts';
import { copyAgent, sidecarScript } from '../bed/bundles.ts';
import { freePort } from '../bed/free-port.ts';
import { until } from '../bed/until.ts';
import { invoke } from '../plugin/invoke.ts';
import { everyNode, patiently } from './bed.ts';

const { 24: node } = everyNode as { 24: string };
const uid = process.getuid!();
const isRoot = uid === 0;
const own = `nodeops-${uid}`;
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nodeops-stores-')));
const program = join(directory, 'sidecar.cjs');
const running = new Set<ReturnType<typeof spawn>>();
let volume = '';
let port = 0;

beforeAll(async () => {
  copyFileSync(await sidecarScript(), program);
  await copyAgent(directory);
  // another user's sidecar reads it too
  chmodSync(directory, 0o755);
});
beforeEach(async () => {
  volume = mkdtempSync(join(directory, 'volume-'));
  chmodSync(volume, 0o777);
  port = await freePort();
});
afterEach(async () => {
  for (const child of running) await end(child);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function end(child: ReturnType<typeof spawn>): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function run(args: readonly string[], env: Record<string, string>, options: SpawnOptions = {}) {
  const child = spawn(node, args, {
    env: { NODEOPS_PORT: String(port), NODEOPS_CONFIG_DIR: join(volume, 'config'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  running.add(child);
  const told = Object.assign(child, { said: '' });
  for (const stream of [child.stdout, child.stderr])
    stream!.on('data', (text) => {
      told.said += text;
    });
  return told;
}

async function sidecar(env: Record<string, string> = {}, options: SpawnOptions = {}) {
  const child = run([program], { NODEOPS_ARTIFACTS_DIR: volume, NODEOPS_ARTIFACTS_SIZE: '64Mi', ...env }, options);
  await until(() => child.said.includes('looking after'));
  // it has not tried for the port yet
  const answers = () =>
    ask('processes', {}).then(
      () => true,
      () => false,
    );
  await expect.poll(answers, patiently).toBe(true);
  return child;
}

/** A container's app with the agent; its folder of the volume is its artifact directory, as the injector mounts it. */
function app(container: string, script: string) {
  mkdirSync(join(volume, container), { recursive: true });
  return run(['--require', join(directory, 'preload.cjs'), '-e', script], {
    NODEOPS_CONTAINER: container,
    NODEOPS_ARTIFACTS_DIR: join(volume, container),
    NODEOPS_ARTIFACTS_SIZE: '64Mi',
  });
}

const throwing = "setTimeout(function settle() { throw new Error('ledger is torn'); }, 300)";
const living = "setInterval(() => {}, 1000); console.log('up')";

async function crash(container: string): Promise<void> {
  const child = app(container, throwing);
  const [code] = await once(child, 'exit');
  expect(code, child.said).toBe(1);
}

/** On a connection of its own: the leader changes, and takes so many only. */
async function ask<N extends OperationName>(name: N, parameters: Partial<Parameters<N>>, process?: string) {
  const client = new AgentClient(addressTarget('127.0.0.1', port).endpoint);
  try {
    return await client.ask(name, parameters, { process });
  } finally {
    client.close();
  }
}

/** Of a container, or of all by the sidecar's own name: more runs on this machine than these tests. */
async function listed(process: string = sidecarContainer) {
  return (await ask('artifacts', {}, process)).data.artifacts;
}

/** A path as it is, which no URL would tidy up. */
function get(path: string, more: Record<string, string> = {}): Promise<{ status: number; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', 'x-nodeops': '1', ...more };
    request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode!, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

/** A store as an agent leaves it, with files of our making. */
function store(container: string, name: string, files: Record<string, string> = {}): string {
  const path = join(volume, container, name);
  for (const folder of ['crash', 'triggers']) mkdirSync(join(path, folder), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

describe('the sidecar, while no agent of a container runs', () => {
  it('has the name that the injector gives it', () => expect(sidecarContainer).toBe(containers.sidecar));

  it('lists what each container kept, sends it whole or from any byte on, and removes it', async () => {
    await crash('ledger');
    await crash('till');
    await sidecar();
    const all = await listed();
    expect(all.map(({ container }) => container).sort()).toEqual(['ledger', 'till']);
    const reply = await ask('artifacts', {}, 'ledger');
    expect(reply).toMatchObject({
      process: { container: sidecarContainer },
      data: { directory: volume, limitBytes: 16 * 1024 * 1024 - 128 * 1024 },
      notes: [],
    });
    const [record, ...more] = reply.data.artifacts;
    expect(more).toEqual([]);
    expect(record!.name).toMatch(/^crash\/.*-uncaught-exception-\d+\.json$/);
    const file = readFileSync(join(volume, 'ledger', own, record!.name));
    expect(record!.bytes).toBe(file.length);
    // by the container's name, or by the sidecar's and then with the container's
    for (const path of [`${record!.name}?process=ledger`, `ledger/${record!.name}?process=${sidecarContainer}`])
      expect((await get(`/v1/artifacts/${path}`)).body.equals(file)).toBe(true);
    const range = { range: `bytes=${file.length - 5}-` };
    const rest = await get(`/v1/artifacts/ledger/${record!.name}?process=${sidecarContainer}`, range);
    expect(rest).toEqual({ status: 206, body: file.subarray(-5) });
    expect((await get(`/v1/artifacts/till/${record!.name}?process=${sidecarContainer}`)).status).toBe(404);
    expect((await get(`/v1/artifacts/${record!.name}?process=nobody`)).status).toBe(404);
    const removed = await ask('remove-artifact', { name: record!.name }, 'ledger');
    expect(removed.data).toEqual({ removed: record!.name, bytes: file.length });
    expect(await listed('ledger')).toEqual([]);
    expect(await listed()).toEqual(all.filter(({ container }) => container === 'till'));
    await expect(ask('remove-artifact', { name: record!.name }, 'ledger')).rejects.toMatchObject({
      code: 'no-such-job',
    });
  });

  it('makes a record of a process that was killed', async () => {
    await sidecar();
    const killed = app('ledger', living);
    const folder = join(volume, 'ledger', own, 'crash');
    await until(() => existsSync(folder) && readdirSync(folder).some((name) => name.startsWith('.box-')));
    expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual([]);
    await end(killed);
    const names = async () => (await listed().catch(() => [])).map(({ name }) => name);
    await expect.poll(names, patiently).toEqual([expect.stringMatching(`^crash/.*-killed-${killed.pid}\\.json$`)]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.box-'))).toEqual([]);
    const [name] = await names();
    const { body } = await get(`/v1/artifacts/ledger/${name}?process=${sidecarContainer}`);
    expect(JSON.parse(body.toString())).toMatchObject({ kind: 'killed', process: { container: 'ledger' } });
  });

  it('leaves a container to its own agent as soon as that runs again', async () => {
    await crash('ledger');
    await sidecar();
    expect(await listed('ledger')).toMatchObject([{ container: 'ledger' }]);
    const again = app('ledger', living);
    const answers = () => ask('artifacts', {}, 'ledger').catch((error) => error);
    await expect.poll(answers, patiently).toMatchObject({
      process: { container: 'ledger', pid: again.pid },
      data: { artifacts: [{ bytes: expect.any(Number) }] },
    });
    expect((await answers()).data.artifacts[0].container).toBeUndefined();
    await end(again);
    await expect.poll(answers, patiently).toMatchObject({ process: { container: sidecarContainer } });
  });

  it("answers also where another container's agent has the pod's port", async () => {
    await crash('ledger');
    const till = app('till', living);
    const pids = async () =>
      (await ask('processes', {}).catch(() => ({ data: { processes: [] } }))).data.processes.map(({ pid }) => pid);
    await expect.poll(pids, patiently).toEqual([till.pid]);
    await sidecar();
    await expect.poll(() => listed('ledger').catch(() => []), patiently).toMatchObject([{ container: 'ledger' }]);
    const { name } = (await listed())[0]!;
    expect((await get(`/v1/artifacts/ledger/${name}?process=${sidecarContainer}`)).status).toBe(200);
    // the sidecar sees its process, too, until it knows of its agent
    const who = () =>
      ask('artifacts', {}, 'till').then(
        ({ process }) => process,
        () => undefined,
      );
    await expect.poll(who, patiently).toEqual({ container: 'till', pid: till.pid });
  });

  it('removes nothing where it is read-only', async () => {
    store('ledger', own, { 'crash/one.json': '{}' });
    await sidecar({ NODEOPS_READ_ONLY: 'true' });
    const removing = ask('remove-artifact', { name: 'crash/one.json' }, 'ledger');
    await expect(removing).rejects.toMatchObject({ code: 'not-permitted' });
    expect(await listed('ledger')).toHaveLength(1);
  });

  it('is asked by the plugin, for which a container is a filter', async () => {
    await crash('ledger');
    await crash('till');
    await sidecar();
    const target = `127.0.0.1:${port}`;
    const list = await invoke(['artifacts', 'list', target, '-c', 'ledger']);
    expect(list.stdout).toMatch(/^NAME +SIZE +AT +CONTAINER\ncrash\/\S+ .* ledger\n$/);
    const output = join(volume, 'saved');
    const told = await invoke(['postmortem', target, '-c', 'till', '--output', output]);
    expect(told).toMatchObject({ code: 0, stderr: '' });
    expect(told.stdout).toContain('an exception was not caught: Error: ledger is torn');
    expect(readdirSync(output)).toHaveLength(1);
    const removed = await invoke(['artifacts', 'rm', target, '-c', 'till', '--all']);
    expect(removed.stdout).toMatch(/^removed crash\/\S+ \(.*\)\n$/);
    expect((await listed()).map(({ container }) => container)).toEqual(['ledger']);
  });
});

describe('what else is in the volume', () => {
  const secret = 'not yours';
  let outside = '';
  beforeEach(() => {
    outside = join(volume, '..', `outside-${port}`);
    mkdirSync(join(outside, 'crash'), { recursive: true });
    writeFileSync(join(outside, 'crash', 'secret.json'), secret);
  });

  it.each([
    'crash/../../../secret.json',
    '../crash/one.json',
    'crash/..%2f..%2fsecret.json',
    'ledger/../ledger/crash/one.json',
    '../ledger/crash/one.json',
    'ledger/crash/',
    'ledger/config/one.json',
    'crash/.hidden.json',
    'crash/.box-1-2-3-',
    '/crash/one.json',
    'ledger//one.json',
  ])('%s is no name: nothing is sent or removed', async (name) => {
    const path = store('ledger', own, { 'crash/one.json': '{}', 'crash/.hidden.json': secret });
    writeFileSync(join(volume, 'ledger', 'secret.json'), secret);
    await sidecar();
    for (const process of ['ledger', sidecarContainer]) {
      expect((await get(`/v1/artifacts/${name}?process=${process}`)).status).toBe(404);
      const removing = ask('remove-artifact', { name: decodeURIComponent(name) }, process);
      await expect(removing).rejects.toMatchObject({ code: 'no-such-job' });
    }
    expect(readdirSync(join(path, 'crash')).sort()).toEqual(['.hidden.json', 'one.json']);
    expect(existsSync(join(volume, 'ledger', 'secret.json'))).toBe(true);
  });

  it('links are not followed, wherever they are, and what is no file is not opened', async () => {
    const path = store('ledger', own, { 'crash/one.json': '{}', 'crash/.x.part': 'being written' });
    symlinkSync(join(outside, 'crash', 'secret.json'), join(path, 'crash', 'link.json'));
    execFileSync('mkfifo', [join(path, 'crash', 'fifo.json')]);
    mkdirSync(join(volume, 'till', 'nodeops-7'), { recursive: true });
    symlinkSync(join(outside, 'crash'), join(volume, 'till', 'nodeops-7', 'crash'));
    symlinkSync(outside, join(volume, 'till', 'nodeops-8'));
    mkdirSync(join(outside, own));
    symlinkSync(join(outside, 'crash'), join(outside, own, 'crash'));
    symlinkSync(outside, join(volume, 'linked'));
    await sidecar();
    const { data, notes } = await ask('artifacts', {}, sidecarContainer);
    expect(data.artifacts.map(({ container, name }) => `${container}/${name}`)).toEqual(['ledger/crash/one.json']);
    expect(notes).toEqual([
      expect.stringContaining(`${join(volume, 'till', 'nodeops-8')} is no directory of an agent's`),
      expect.stringContaining(`${join(volume, 'till', 'nodeops-7', 'crash')} is no directory of an agent's`),
    ]);
    for (const name of [
      'ledger/crash/link.json',
      'ledger/crash/fifo.json',
      'till/crash/secret.json',
      'linked/crash/secret.json',
    ]) {
      expect((await get(`/v1/artifacts/${name}?process=${sidecarContainer}`)).status).toBe(404);
      const removing = ask('remove-artifact', { name }, sidecarContainer);
      await expect(removing).rejects.toMatchObject({ code: 'no-such-job' });
    }
    expect(readdirSync(join(path, 'crash')).sort()).toEqual(['.x.part', 'fifo.json', 'link.json', 'one.json']);
    expect(readFileSync(join(outside, 'crash', 'secret.json'), 'utf8')).toBe(secret);
    await expect(ask('artifacts', {}, 'linked')).rejects.toMatchObject({
      code: 'no-such-process',
    });
  });

  it("another user's store that may not be read is named, with what to do; the others are served", async () => {
    // root reads everything: the sidecar is then another user's
    const other = isRoot ? 4_711 : uid;
    const user = isRoot ? { uid: 4_712, gid: 4_712 } : {};
    const closed = store('ledger', 'nodeops-4711', { 'crash/theirs.json': secret });
    if (isRoot) chownSync(closed, other, other);
    chmodSync(closed, isRoot ? 0o700 : 0o000);
    store('till', 'nodeops-4713', { 'crash/open.json': '{}' });
    try {
      await sidecar({}, user);
      const { data, notes } = await ask('artifacts', {}, sidecarContainer);
      expect(data.artifacts).toMatchObject([{ container: 'till', name: 'crash/open.json' }]);
      expect(notes).toEqual([
        expect.stringMatching(`^${closed} belongs to user ${other} and cannot be read by user .*runAsUser`),
      ]);
      expect((await get(`/v1/artifacts/ledger/crash/theirs.json?process=${sidecarContainer}`)).status).toBe(404);
    } finally {
      chmodSync(closed, 0o700);
    }
  });

  it.runIf(isRoot)(
    "root serves another user's store, and makes no records in it that its agent could not read",
    async () => {
      const path = store('ledger', 'nodeops-4711', {
        'crash/theirs.json': '{}',
        'crash/.box-1-2-3-': '{"schema":"x"}',
      });
      await sidecar();
      expect(await listed('ledger')).toMatchObject([{ container: 'ledger', name: 'crash/theirs.json' }]);
      expect(existsSync(join(path, 'crash', '.box-1-2-3-'))).toBe(true);
      expect((await ask('remove-artifact', { name: 'ledger/crash/theirs.json' }, sidecarContainer)).data.bytes).toBe(2);
      expect(await listed('ledger')).toEqual([]);
    },
  );
});
