import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bundleInject } from '../../scripts/inject-bundle.ts';
import { check } from '../../src/inject/check.ts';
import { install } from '../../src/inject/install.ts';
import { preloadFlag } from '../../src/inject/paths.ts';
import { type ChartFiles, chartFiles, post } from './webhook.ts';

let folder: string;
let files: ChartFiles;
const running: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nodeops-inject-'));
  files = await chartFiles();
  await bundleInject(folder);
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await files.remove();
  await rm(folder, { recursive: true, force: true });
});

function inject(...args: string[]) {
  const child = spawn(process.execPath, [join(folder, 'inject.cjs'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  return { child, output, exit: once(child, 'close').then(([code]) => code as number) };
}

it('serves with what the chart mounts, and on SIGTERM stops being ready, answers on, and ends with 0', async () => {
  const { child, output, exit } = inject(
    ...['serve', '--settings', files.settings, '--certificates', files.folder, '--port', '0', '--health-port', '0'],
  );
  const ports = await vi.waitFor(
    () => {
      const [, port, health] = /reviews on (\d+), health and metrics on (\d+)/.exec(output.stderr)!;
      return { port: Number(port), health: Number(health) };
    },
    { timeout: 20_000 },
  );
  const ready = async () => (await fetch(`http://127.0.0.1:${ports.health}/readyz`)).status;
  await vi.waitFor(async () => expect(await ready()).toBe(200), { timeout: 10_000 });
  child.kill('SIGTERM');
  await vi.waitFor(async () => expect(await ready()).toBe(503), { timeout: 4_000 });
  expect((await post(files, ports.port, '/mutate', '{}')).status).toBe(400);
  expect(await exit).toBe(0);
});

it('names the field of the settings that is wrong', async () => {
  const file = join(folder, 'bad.json');
  await writeFile(file, JSON.stringify({ delivery: 'carrier-pigeon' }));
  const { output, exit } = inject('serve', '--settings', file);
  expect(await exit).toBe(1);
  expect(output.stderr).toBe(`inject: settings ${file}: field 'delivery' cannot be "carrier-pigeon"\n`);
});

it.each([[[]], [['serve', '--bogus']], [['install']]])('%j is answered with the usage', async (args) => {
  const { output, exit } = inject(...args);
  expect(await exit).toBe(2);
  expect(output.stderr).toMatch(/^usage: /);
});

it('install copies the agent’s files, twice, readable for all', async () => {
  const [from, to] = [join(folder, 'agent'), join(folder, 'volume', 'agent')];
  await mkdir(from);
  await writeFile(join(from, 'preload.cjs'), '// agent', { mode: 0o644 });
  expect(await install(to, from)).toEqual(['preload.cjs']);
  expect(await install(to, from)).toEqual(['preload.cjs']);
  expect(await readdir(to)).toEqual(['preload.cjs']);
  expect((await stat(join(to, 'preload.cjs'))).mode & 0o444).toBe(0o444);
});

it('install from an image without the agent fails and says so', async () => {
  const from = join(folder, 'empty');
  await mkdir(from);
  await expect(install(join(folder, 'volume2'), from)).rejects.toThrow('holds no preload.cjs');
});

it('check tells an injected pod from one that was left alone and one whose agent is silent', async () => {
  await expect(check({})).rejects.toThrow('asked for the agent and was not injected');
  const server = createServer((request, response) => {
    response.writeHead(request.headers['x-nodeops'] === '1' && request.url === '/v1/version' ? 401 : 500, {
      'x-nodeops-protocol': '1',
    });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = String((server.address() as AddressInfo).port);
  expect(await check({ NODE_OPTIONS: preloadFlag, NODEOPS_PORT: port })).toMatch(/^the agent answers on /);
  server.close();
  await once(server, 'close');
  const silent = { NODE_OPTIONS: preloadFlag, NODEOPS_PORT: port };
  await expect(check(silent, 500)).rejects.toThrow('does not answer on');
  await expect(check({ ...silent, NODEOPS_TOKEN_FILE: join(folder, 'no-token') })).rejects.toThrow(
    'the Secret with the token (agent.tokenSecret) is missing',
  );
});
