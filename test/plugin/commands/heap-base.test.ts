/** `heapsnapshot TARGET --diff-base FILE`: the plugin and a process with the agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agentDirectory } from '../../bed/bundles.ts';
import { Plugin, until } from './plugin.ts';

const program = `
class Session { constructor(i) { this.id = i; this.text = 'session ' + i; } }
globalThis.kept = [];
process.stdin.on('data', () => {
  for (let i = 0; i < 5000; i++) globalThis.kept.push(new Session(i));
  process.stdout.write('kept\\n');
});`;

let plugin: Plugin;
let directory: string;
let app: ChildProcess;
const said = () => new Promise((done) => app.stdout!.once('data', done));

beforeAll(async () => {
  plugin = await Plugin.build();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-heap-base-'));
  const env = {
    PATH: process.env.PATH,
    NODEOPS_PORT: '0',
    NODEOPS_CONFIG_DIR: directory,
    NODE_OPTIONS: `--require=${join(await agentDirectory(), 'preload.cjs')}`,
  };
  const file = join(directory, 'app.cjs');
  await writeFile(file, program);
  app = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'], env });
  await until('the agent is found', () => existsSync(join(directory, String(app.pid))));
});
afterAll(async () => {
  app?.kill('SIGKILL');
  await plugin?.close();
  await rm(directory, { recursive: true, force: true });
});

it('says what came since that snapshot, and what keeps it', async () => {
  const env = { ...process.env, NODEOPS_CONFIG_DIR: directory };
  const take = (name: string, ...args: string[]) =>
    plugin.run(['heapsnapshot', String(app.pid), '--output', join(directory, name), ...args], { env });
  const first = await take('before.heapsnapshot');
  expect(first.code, first.stderr).toBe(0);
  const grown = said();
  app.stdin!.write('more\n');
  await grown;
  const { code, stdout, stderr } = await take(
    'after.heapsnapshot',
    '--diff-base',
    join(directory, 'before.heapsnapshot'),
  );
  expect(code, stderr).toBe(0);
  const text = stdout.toString();
  expect(text).toContain('global.kept (Array)');
  expect(text).toMatch(/\+5000\s+-0\s+\d+\s+Session .*global\.kept → \[…\] → Session/);
  const wrong = await take('x.heapsnapshot', '--diff-base', join(directory, 'none.heapsnapshot'));
  expect(wrong.code).not.toBe(0);
  expect(wrong.stderr).toContain('none.heapsnapshot');
}, 60_000);
