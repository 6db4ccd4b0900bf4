/** The plugin as a child process, built for the test. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { pluginScript } from '../../bed/bundles.ts';
import { until as poll } from '../../bed/until.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stderr(): string;
  stdout(): string;
}

export class Plugin {
  readonly path: string;
  readonly #children = new Set<ChildProcess>();

  private constructor(path: string) {
    this.path = path;
  }

  static async build(): Promise<Plugin> {
    return new Plugin(await pluginScript());
  }

  /** Starts it with arguments; `options.prefix` is a command that runs it. */
  start(args: readonly string[], options: SpawnOptions & { prefix?: readonly string[] } = {}): Running {
    const { prefix = [], ...spawnOptions } = options;
    const [command, ...rest] = [...prefix, process.execPath, this.path, ...args];
    return this.#watch(spawn(command!, rest, { stdio: ['pipe', 'pipe', 'pipe'], ...spawnOptions }));
  }

  /** On a terminal of its own, given by util-linux' `script`. */
  onTerminal(args: readonly string[], options: SpawnOptions = {}): Running {
    const words = [process.execPath, this.path, ...args].map((word) => `'${word}'`).join(' ');
    // without exec the shell stays, and of a Ctrl-C dash ends with 130 whatever its child returns
    const command = ['-qefc', `exec ${words}`, '/dev/null'];
    const env = { ...process.env, ...options.env, SHELL: '/bin/sh' };
    return this.#watch(spawn('script', command, { stdio: ['pipe', 'pipe', 'pipe'], ...options, env }));
  }

  run(args: readonly string[], options: SpawnOptions & { prefix?: readonly string[] } = {}): Promise<Ended> {
    const { child, ended } = this.start(args, options);
    child.stdin?.end();
    return ended;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #watch(child: ChildProcess): Running {
    this.#children.add(child);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk) => stdout.push(chunk));
    child.stderr?.on('data', (chunk) => stderr.push(chunk));
    child.stdin?.on('error', () => {});
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code, signal) => {
        this.#children.delete(child);
        resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
      });
    });
    const text = (chunks: Buffer[]) => () => Buffer.concat(chunks).toString();
    return { child, ended, stdout: text(stdout), stderr: text(stderr) };
  }
}

/** Waits until something is so; fails after a while. */
export async function until(what: string, holds: () => boolean, withinMs = 40_000): Promise<void> {
  await poll(holds, { withinMs }).catch((error: Error) => {
    throw new Error(`${what} did not happen`, { cause: error });
  });
}
