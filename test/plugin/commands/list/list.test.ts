import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LocalProcess } from '../../../../src/plugin/commands/list/processes.ts';
import { invoke } from '../../invoke.ts';
import { GoAgent } from '../../transport/gops/go-agent.ts';

const nodes = { 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' } as const;
/** A Go program that is on every development machine of this project: TypeScript 7. */
const goProgram = resolve('node_modules/@typescript/typescript-linux-x64/lib/tsc');

let dir: string;
let children: ChildProcess[] = [];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nodeops-list-'));
  await writeFile(join(dir, 'server.js'), 'setInterval(() => {}, 1000);');
  await writeFile(
    join(dir, 'parent.js'),
    `require('child_process').spawn('sh', ['-c', '"$0" server.js; :', process.execPath], { stdio: 'inherit' });
     setInterval(() => {}, 1000);`,
  );
});
afterAll(() => rm(dir, { recursive: true }));
afterEach(async () => {
  for (const child of children) {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // it has ended
    }
  }
  await Promise.all(
    children.map((child) => child.exitCode === null && child.signalCode === null && once(child, 'exit')),
  );
  children = [];
});

/** In a group of its own, so that its children end with it. */
async function run(command: string, args: string[], options: object = {}): Promise<number> {
  const child = spawn(command, args, { cwd: dir, stdio: ['pipe', 'ignore', 'ignore'], detached: true, ...options });
  children.push(child);
  await once(child, 'spawn');
  return child.pid!;
}
const env = () => ({ GOPS_CONFIG_DIR: dir });
async function listed(): Promise<LocalProcess[]> {
  const { code, stdout } = await invoke(['list', '-o', 'json'], { env: env() });
  expect(code).toBe(0);
  return JSON.parse(stdout).items;
}
const find = async (pid: number) => (await listed()).find((one) => one.pid === pid);

describe('the Node processes of this machine', () => {
  it.each(Object.entries(nodes))('Node %s is listed with its exact version', async (major, name) => {
    const node = resolve('node_modules', name, 'bin/node');
    const pid = await run(node, ['--max-old-space-size=64', '--require', './server.js', 'server.js']);
    expect(await find(pid)).toMatchObject({
      ppid: process.pid,
      kind: 'node',
      name: 'server.js',
      path: join(dir, 'server.js'),
      version: expect.stringMatching(new RegExp(`^v${major}\\.\\d+\\.\\d+$`)),
      port: null,
    });
  });

  it('a Node under another name is found by what is in it', async () => {
    const copy = join(dir, 'my-service');
    await copyFile(resolve('node_modules/node22/bin/node'), copy);
    const pid = await run(copy, ['-e', 'setInterval(() => {}, 1000)']);
    expect(await find(pid)).toMatchObject({ name: 'my-service', path: copy, version: expect.stringMatching(/^v22\./) });
  });

  it('nodeops alone prints gops’ columns, an asterisk where there is an agent', async () => {
    const plain = await run(process.execPath, ['server.js']);
    const agent = await run(process.execPath, ['server.js', 'x']);
    await writeFile(join(dir, String(agent)), '40000');
    const { code, stdout, stderr } = await invoke([], { env: env() });
    await rm(join(dir, String(agent)));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const line = (pid: number) => stdout.split('\n').find((text) => text.startsWith(`${pid} `));
    const version = process.version.replaceAll('.', '\\.');
    expect(line(plain)).toMatch(new RegExp(`^${plain} +${process.pid} +server\\.js +${version} +${dir}/server\\.js$`));
    expect(line(agent)).toMatch(
      new RegExp(`^${agent} +${process.pid} +server\\.js +\\* ${version} +${dir}/server\\.js$`),
    );
    const columns = new Set(
      stdout
        .trimEnd()
        .split('\n')
        .map((text) => text.indexOf(' /'))
        // where another user's program is, is not told
        .filter((column) => column >= 0),
    );
    expect(columns.size).toBe(1);
  });

  it('nodeops itself, and what is no Node, is left out', async () => {
    const sleeping = await run('sleep', ['60']);
    const pids = (await listed()).map(({ pid }) => pid);
    expect(pids).not.toContain(process.pid);
    expect(pids).not.toContain(sleeping);
  });

  it.runIf(process.getuid?.() === 0)('other users’ processes are listed to root, with their agents', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nodeops-home-'));
    const pid = await run(
      '/usr/bin/env',
      [resolve('node_modules/node/bin/node'), '-e', 'setInterval(() => {}, 1000)'],
      {
        uid: 65_534,
        gid: 65_534,
        cwd: '/',
        env: { NODEOPS_CONFIG_DIR: home },
      },
    );
    await writeFile(join(home, String(pid)), '40001');
    // before that it is env
    await expect.poll(() => find(pid), { timeout: 30_000 }).toMatchObject({ uid: 65_534, name: 'node', port: 40_001 });
    await rm(home, { recursive: true });
  });
});

describe('Go programs in gops’ config directory', () => {
  it('are listed as Go, with the version from the binary', async () => {
    const pid = await run(goProgram, ['--lsp', '--stdio']);
    expect(await find(pid)).toBeUndefined();
    await writeFile(join(dir, String(pid)), '40002');
    const found = await find(pid);
    await rm(join(dir, String(pid)));
    expect(found).toMatchObject({
      kind: 'go',
      name: 'tsc',
      path: goProgram,
      version: expect.stringMatching(/^go1\.\d+/),
    });
  });

  it('without that in the binary, with the version their agent tells', async () => {
    const agent = await new GoAgent().listen();
    const pid = await run('sleep', ['60']);
    await writeFile(join(dir, String(pid)), String(agent.port));
    const found = await find(pid);
    agent.close();
    expect(found).toMatchObject({ kind: 'go', name: 'sleep', version: 'go1.26.1' });
    expect(await find(pid)).toBeUndefined();
    await rm(join(dir, String(pid)));
  });
});

describe('tree', () => {
  it('draws what stands between two Node processes, and the parent of the first', async () => {
    const parent = await run(process.execPath, ['parent.js']);
    await writeFile(join(dir, String(parent)), '40003');
    let below = '';
    for (let tries = 0; tries < 300 && !below.includes('server.js'); tries++) {
      await new Promise((done) => setTimeout(done, 100));
      const { stdout } = await invoke(['tree'], { env: env() });
      expect(stdout).toMatch(/^\.\.\.\n/);
      const lines = stdout.split('\n');
      const at = lines.findIndex((text) => text.includes(`${parent} (parent.js)`));
      below = lines.slice(at, at + 3).join('\n');
    }
    await rm(join(dir, String(parent)));
    const { version } = process;
    const lines = below.split('\n').map((text) => text.replace(/^[│ ]*/, ''));
    expect(lines[0]).toBe(`├── [*]  ${parent} (parent.js) {${version}}`.replace('├', lines[0]![0]!));
    expect(lines[1]).toMatch(/^└── \d+ \(sh\)$/);
    expect(lines[2]).toMatch(new RegExp(`^└── \\d+ \\(server\\.js\\) \\{${version.replaceAll('.', '\\.')}\\}$`));
  });
});
