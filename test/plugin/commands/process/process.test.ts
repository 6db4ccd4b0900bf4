import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { fromGops } from '../../../../src/plugin/cli/gops-arguments.ts';
import { elapsedSeconds } from '../../../../src/plugin/commands/process/summary.ts';
import { invoke } from '../../invoke.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

describe('nodeops PID', () => {
  it('sums up any process, with an agent or without', async () => {
    const child = spawn('sleep', ['60']);
    closing.push(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const { code, stdout } = await invoke([String(child.pid)]);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `parent PID: ${process.pid}`,
      'threads: 1',
      expect.stringMatching(/^memory usage: 0\.\d{3}%$/),
      expect.stringMatching(/^cpu usage: \d+\.\d{3}%$/),
      `username: ${userInfo().username}`,
      'cmd+args: sleep 60',
      expect.stringMatching(/^elapsed time: 00:[0-5]\d$/),
      '',
    ]);
  });

  it('measures CPU over a duration', async () => {
    const child = spawn(process.execPath, ['-e', 'for (;;);']);
    closing.push(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const { stdout } = await invoke([String(child.pid), '500ms']);
    const [, percent] = /^cpu usage \(500ms\): ([\d.]+)%$/m.exec(stdout) ?? [];
    expect(Number(percent)).toBeGreaterThan(0);
    expect(Number(percent)).toBeLessThan(400);
  });

  it('shows its sockets, v4 and v6, with their state', async () => {
    const server = createServer().listen(0, '::1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const v4 = createServer().listen(0, '127.0.0.1');
    await once(v4, 'listening');
    const { port: port4 } = v4.address() as AddressInfo;
    const client = connect(port4, '127.0.0.1');
    await once(client, 'connect');
    closing.push(
      () => server.close(),
      () => v4.close(),
      () => client.destroy(),
    );
    const { stdout } = await invoke([String(process.pid)]);
    expect(stdout).toContain(`local/remote: [::1]:${port} <-> :0 (LISTEN)\n`);
    expect(stdout).toContain(`local/remote: 127.0.0.1:${port4} <-> :0 (LISTEN)\n`);
    expect(stdout).toMatch(
      new RegExp(`local/remote: 127\\.0\\.0\\.1:\\d+ <-> 127\\.0\\.0\\.1:${port4} \\(ESTABLISHED\\)`),
    );
  });

  it('agrees with ps', async () => {
    const { stdout } = await invoke([String(process.pid), '-o', 'json']);
    const { data } = JSON.parse(stdout);
    const [ppid, threads] = execFileSync('ps', ['-o', 'ppid=,nlwp=', '-p', String(process.pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    expect(data.ppid).toBe(Number(ppid));
    expect(Math.abs(data.threads - Number(threads))).toBeLessThan(8);
    expect(data.rssBytes).toBeGreaterThan(10_000_000);
  });

  it('several become rows; one that is not there is told of', async () => {
    const child = spawn('sleep', ['60']);
    closing.push(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const { code, stdout, stderr } = await invoke(['process', String(process.pid), String(child.pid), '2147483646']);
    expect(code).toBe(3);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stderr).toBe('nodeops: there is no process 2147483646; nodeops list\n');
    expect(await invoke(['2147483646'])).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('gops’ ways to type things', () => {
  it.each([
    [['42', '5x'], 'nodeops', ['process', '42', '--duration', '5x']],
    [['42', 'pod/x'], 'nodeops', ['process', '42', 'pod/x']],
    [[], 'nodeops', ['list']],
    [[], 'kubectl nodeops', []],
    [['4711'], 'nodeops', ['process', '4711']],
    [['4711', '5s', '-o', 'json'], 'nodeops', ['process', '4711', '--duration', '5s', '-o', 'json']],
    [['4711', '5'], 'kubectl nodeops', ['process', '4711', '--duration', '5']],
    [['4711', '-o', 'json'], 'nodeops', ['process', '4711', '-o', 'json']],
    [['process', '4711', '5s'], 'nodeops', ['process', '4711', '--duration', '5s']],
    [['process', '4711', '4712'], 'nodeops', ['process', '4711', '4712']],
    [['stats', '4711', '5s'], 'nodeops', ['stats', '4711', '5s']],
  ])('%j to %s', (typed, program, meant) => {
    expect(fromGops(typed, program)).toEqual(meant);
  });

  it('kubectl nodeops alone shows help', async () => {
    const { code, stdout } = await invoke([], { program: 'kubectl nodeops' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: kubectl nodeops /);
  });
});

it.each([
  ['00:07', 7],
  ['01:02:03', 3723],
  ['02-03:04:05', 183_845],
])('ps’ elapsed time %s is %d seconds', (text, seconds) => {
  expect(elapsedSeconds(text)).toBe(seconds);
});
