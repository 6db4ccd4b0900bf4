/** Real Node processes with the built agent, for a run to look at. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../../../src/plugin/cli/command.ts';
import { runProgram } from '../../../../src/plugin/cli/program.ts';
import { asNodeopsError } from '../../../../src/protocol/errors.ts';
import { agentDirectory } from '../../../bed/bundles.ts';
import { until } from '../../../bed/until.ts';
import { type TestIo, testIo } from '../../captures/io.ts';

// a build puts it in
process.env.NODEOPS_VERSION ??= '0.0.0-test';

export const scripts = {
  healthy: "require('node:http').createServer((_, r) => r.end()).listen(0, '127.0.0.1')",
  /** Writes `blocked.cjs.on` first. */
  blocked: "setTimeout(function spin() { require('node:fs').writeFileSync(__filename + '.on', ''); for (;;) {} }, 300)",
  busy: 'setInterval(function burn() { const end = Date.now() + 250; while (Date.now() < end); }, 20)',
  churning:
    'setInterval(function churn() { for (let i = 0; i < 40; i++) globalThis.x = Array.from({ length: 5000 }, (_, n) => ({ n })) }, 10)',
  leaking:
    "const kept = []; setInterval(function keep() { for (let i = 0; i < 2000; i++) kept.push({ i, s: 'x' + i }) }, 20)",
  opening: "const kept = []; setInterval(() => kept.push(require('node:net').createServer().listen(0)), 50)",
  throwing: "process.on('uncaughtException', () => {}); setInterval(function fail() { throw new Error('again') }, 100)",
  printing: "console.log('password=hunter2hunter2'); setInterval(() => {}, 1000)",
} as const;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Apps {
  readonly directory: string;
  readonly #children: ChildProcess[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<Apps> {
    return new Apps(await mkdtemp(join(tmpdir(), 'nodeops-smoke-')));
  }

  /** Resolves to its pid once its agent listens. */
  async start(name: keyof typeof scripts, env: Readonly<Record<string, string>> = {}): Promise<number> {
    const file = join(this.directory, `${name}.cjs`);
    await writeFile(file, scripts[name]);
    const child = spawn(process.execPath, ['--require', join(await agentDirectory(), 'preload.cjs'), file], {
      env: { ...process.env, NODE_OPTIONS: '', NODEOPS_CONFIG_DIR: this.directory, NODEOPS_PORT: '0', ...env },
      stdio: 'ignore',
    });
    this.#children.push(child);
    await until(async () => {
      const port = await readFile(join(this.directory, String(child.pid)), 'utf8').catch(() => '');
      return port.trim() !== '';
    });
    return child.pid!;
  }

  /** Resolves once it is gone. */
  async kill(pid: number): Promise<void> {
    const child = this.#children.find((each) => each.pid === pid)!;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Runs one command as the plugin does. */
  async run(command: Command, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const test: TestIo = testIo();
    const io = { ...test.io, env: { HOME: this.directory, NODEOPS_CONFIG_DIR: this.directory, ...env } };
    const code = await runProgram([command.name, ...args], [command], io).catch((error: unknown) => {
      test.io.stderr.write(asNodeopsError(error).message);
      return asNodeopsError(error).exitCode;
    });
    return { code, stdout: test.stdout(), stderr: test.stderr() };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }
}
