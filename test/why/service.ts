/** Starts a service of ./services under the built agent, and puts load on it from this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../bed/free-port.ts';

export const majors = [20, 22, 24, 26] as const;
export type Major = (typeof majors)[number];
const packages = { 20: 'node20', 22: 'node22', 24: 'node', 26: 'node26' } as const;
const here = new URL('.', import.meta.url).pathname;
const root = join(here, '../..');
export const nodeOf = (major: Major) => join(root, 'node_modules', packages[major], 'bin/node');

export interface Load {
  readonly path: string;
  /** From one request to the next, whether or not the last was answered. */
  readonly everyMs: number;
  /** Requests at most, all together. */
  readonly count?: number;
  /** Requests at most at the same time. @default 50 */
  readonly open?: number;
}

export interface ServiceOptions {
  readonly major: Major;
  readonly flags?: readonly string[];
  readonly env?: Record<string, string>;
  /** A command that runs the command, such as one that sets limits. */
  readonly within?: readonly string[];
  /** Whether the agent is loaded. @default true */
  readonly agent?: boolean;
}

export class Service {
  readonly child: ChildProcess;
  readonly configDir: string;
  readonly agentPort: number;
  #output = '';
  #stopped = false;
  readonly #agent = new Agent({ keepAlive: false });

  private constructor(child: ChildProcess, configDir: string, agentPort: number) {
    this.child = child;
    this.configDir = configDir;
    this.agentPort = agentPort;
    const hear = (chunk: Buffer) => (this.#output = (this.#output + chunk).slice(-20_000));
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
  }

  static async start(name: string, options: ServiceOptions): Promise<Service> {
    const configDir = mkdtempSync(join(tmpdir(), 'nodeops-why-'));
    const port = await freePort();
    const preload = options.agent === false ? [] : ['--require', join(root, 'dist/agent/preload.cjs')];
    const node = [nodeOf(options.major), ...(options.flags ?? []), ...preload, join(here, 'services', name)];
    const [command, ...args] = [...(options.within ?? []), ...node] as [string, ...string[]];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // a group of its own, so that what it starts ends with it
      detached: true,
      env: { PATH: process.env.PATH, NODEOPS_CONFIG_DIR: configDir, NODEOPS_PORT: String(port), ...options.env },
    });
    const service = new Service(child, configDir, port);
    await service.says(/listening (\d+)|working/);
    // the agent tells its port when it is up, which may be after the app's first line
    for (let waited = 0; options.agent !== false && !existsSync(join(configDir, String(child.pid))); waited += 20) {
      if (waited > 30_000) throw new Error(`no agent came up: ${service.output}`);
      await new Promise((done) => setTimeout(done, 20));
    }
    return service;
  }

  get pid(): number {
    return this.child.pid!;
  }
  get output(): string {
    return this.#output;
  }

  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (let waited = 0; ; waited += 20) {
      const found = pattern.exec(this.#output);
      if (found) return found;
      if (this.child.exitCode !== null || waited > 60_000) throw new Error(`${pattern} was not said: ${this.#output}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** Sends requests until the service is stopped. */
  async load({ path, everyMs, count = Number.POSITIVE_INFINITY, open = 50 }: Load): Promise<void> {
    const port = Number((await this.says(/listening (\d+)/))[1]);
    let [sent, pending] = [0, 0];
    const timer = setInterval(() => {
      if (this.#stopped || sent >= count) return clearInterval(timer);
      if (pending >= open) return;
      sent++;
      pending++;
      let ended = false;
      const done = () => {
        if (!ended) pending--;
        ended = true;
      };
      get({ host: '127.0.0.1', port, path, agent: this.#agent }, (reply) => reply.resume().on('close', done)).on(
        'error',
        done,
      );
    }, everyMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const closed = new Promise((done) => this.child.once('close', done));
      process.kill(-this.pid, 'SIGKILL');
      await closed;
    }
    this.#agent.destroy();
    rmSync(this.configDir, { recursive: true, force: true });
  }
}
