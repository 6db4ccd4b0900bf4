import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleAgent } from '../../scripts/agent-bundle.ts';
import { writePackage } from '../../scripts/package.ts';
import { bundlePlugin } from '../../scripts/plugin-bundle.ts';
import { freePort } from '../bed/free-port.ts';

const run = promisify(execFile);
const nodes = { 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' } as const;
const nodeOf = (version: keyof typeof nodes) => resolve('node_modules', nodes[version], 'bin/node');

let dir: string;
let chunks: readonly string[];
let project: string;
let packed: { size: number; unpackedSize: number; files: { path: string; mode: number }[] };
let env: NodeJS.ProcessEnv;

/** The real npm, with nothing to fetch from. */
async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await run('npm', args, { cwd, env, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nodeops-package-'));
  project = join(dir, 'project');
  env = {
    PATH: [dirname(nodeOf(24)), process.env.PATH].join(delimiter),
    HOME: dir,
    npm_config_cache: join(dir, 'cache'),
    npm_config_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
  const output = join(dir, 'npm');
  const [bundle] = await Promise.all([bundlePlugin(join(dir, 'plugin.cjs')), bundleAgent(join(dir, 'agent'))]);
  ({ chunks } = bundle);
  await writePackage({ agentFolder: join(dir, 'agent'), plugin: join(dir, 'plugin.cjs'), ...bundle, output });
  [packed] = JSON.parse(await npm(output, 'pack', '--json', '--pack-destination', dir));
  const [tarball] = (await readdir(dir)).filter((name) => name.endsWith('.tgz'));
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{"name":"consumer","private":true}');
  await npm(project, 'install', '--ignore-scripts', join(dir, tarball!));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the npm package', () => {
  it('holds the library, the program, types, a manual page and licences, and nothing else', () => {
    expect(packed.files.map(({ path }) => path).sort()).toEqual([
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES',
      'bin/nodeops.cjs',
      ...chunks.map((name) => `chunks/${name}`),
      'index.cjs',
      'index.d.cts',
      'index.d.mts',
      'index.mjs',
      'man/kubectl-nodeops.1',
      'package.json',
      'plugin.cjs',
      'preload.cjs',
    ]);
    expect(packed.files.find(({ path }) => path === 'bin/nodeops.cjs')!.mode & 0o111).toBe(0o111);
    expect(packed.size).toBeLessThan(8 * 1024 * 1024);
    process.stdout.write(`nodeops.tgz: ${packed.size} bytes, unpacked ${packed.unpackedSize}\n`);
  });

  it('installs offline, with no dependency', async () => {
    expect((await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(['nodeops']);
    const manifest = JSON.parse(await readFile(join(project, 'node_modules/nodeops/package.json'), 'utf8'));
    expect(Object.keys(manifest)).not.toContain('dependencies');
    expect(Object.keys(manifest)).not.toContain('scripts');
  });

  it('names the licence of everything in the program', async () => {
    const text = await readFile(join(project, 'node_modules/nodeops/THIRD-PARTY-LICENSES'), 'utf8');
    for (const name of ['commander', 'ws', 'yaml', 'pprof-format', 'speedscope'])
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((?:MIT|ISC|Apache-2\\.0)\\)$`, 'm'));
    expect(text).not.toContain('(undefined)');
  });
});

const body = `const before = (await import('node:fs')).readdirSync(process.env.NODEOPS_CONFIG_DIR).length;
const handle = await listen({ container: 'web' });
const reply = await fetch('http://127.0.0.1:' + handle.port + '/v1/version', { headers: { 'x-nodeops': '1' } });
const { process: who, data } = await reply.json();
await close();
console.log(JSON.stringify({ before, who, node: data.nodeVersion }));`;
const sources = {
  'import.mjs': `import { close, listen } from 'nodeops';\n${body}`,
  'require.cjs': `const { close, listen } = require('nodeops');\n(async () => {\n${body}\n})();`,
};

describe.each(Object.keys(nodes).map(Number) as (keyof typeof nodes)[])('on Node %i', (version) => {
  it.each(Object.entries(sources))('%s gets listen and close', async (name, source) => {
    const script = join(project, name);
    await writeFile(script, source);
    const configDir = await mkdtemp(join(dir, 'config-'));
    const { stdout, stderr } = await run(nodeOf(version), [script], {
      cwd: project,
      env: { ...env, NODEOPS_CONFIG_DIR: configDir, NODEOPS_PORT: String(await freePort()) },
    });
    expect(stderr).toBe('');
    const { before, who, node } = JSON.parse(stdout);
    expect(before).toBe(0);
    expect(who).toEqual({ container: 'web', pid: expect.any(Number) });
    expect(node).toMatch(new RegExp(`^v${version}\\.`));
    expect(await readdir(configDir)).toEqual([]);
  });

  it.each(['--require', '--import'])('%s nodeops/preload starts the agent', async (flag) => {
    const configDir = await mkdtemp(join(dir, 'config-'));
    await writeFile(join(project, 'app.cjs'), 'setInterval(() => {}, 1000);');
    const child = spawn(nodeOf(version), [flag, 'nodeops/preload', 'app.cjs'], {
      cwd: project,
      env: { ...env, NODEOPS_CONFIG_DIR: configDir, NODEOPS_PORT: String(await freePort()) },
    });
    try {
      const endAt = Date.now() + 20_000;
      while (!(await readdir(configDir)).includes(String(child.pid))) {
        expect(Date.now()).toBeLessThan(endAt);
        await new Promise((done) => setTimeout(done, 50));
      }
      const port = Number(await readFile(join(configDir, String(child.pid)), 'utf8'));
      const reply = await fetch(`http://127.0.0.1:${port}/v1/version`, { headers: { 'x-nodeops': '1' } });
      expect(((await reply.json()) as { process: object }).process).toEqual({ container: null, pid: child.pid });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});

describe('types', () => {
  it.each(['consumer.mts', 'consumer.cts'])('%s compiles, and a wrong option does not', async (name) => {
    const text = (option: string) =>
      `import { type AgentHandle, listen } from 'nodeops';
       const handle: AgentHandle | undefined = await0(listen({ ${option} }));
       function await0<T>(promise: Promise<T>): T { void promise; return undefined as T; }
       export const port: number | undefined = handle?.port;\n`;
    const tsc = (file: string) =>
      run(
        resolve('node_modules/.bin/tsc'),
        ['--noEmit', '--strict', '--module', 'nodenext', '--skipLibCheck', 'false', '--types', '', file],
        { cwd: project, env },
      ).then(
        () => '',
        ({ stdout }: { stdout: string }) => stdout,
      );
    await writeFile(join(project, name), text("addr: ':0', shutdownCleanup: false"));
    expect(await tsc(name)).toBe('');
    await writeFile(join(project, name), text('addr: 8848'));
    expect(await tsc(name)).toContain("Type 'number' is not assignable to type 'string'");
  });
});

describe('the program', () => {
  const bin = (name: string) => join(project, 'node_modules/.bin', name);

  it('runs as nodeops and as kubectl-nodeops', async () => {
    const { version } = JSON.parse(await readFile(join(project, 'node_modules/nodeops/package.json'), 'utf8'));
    expect((await run(bin('kubectl-nodeops'), [], { env })).stdout).toMatch(/^Usage: kubectl nodeops /);
    expect((await run(bin('nodeops'), ['--help'], { env })).stdout).toMatch(/^Usage: nodeops /);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
    expect((await run(bin('nodeops'), [String(process.pid)], { env })).stdout).toMatch(/^parent PID: \d+\n/);
  });

  it('says which Node it needs on an older one', async () => {
    const failed = run(nodeOf(20), [bin('nodeops')], { env });
    await expect(failed).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^nodeops: needs Node\.js 22\.19 or newer, and this is v20\./),
    });
  });
});
