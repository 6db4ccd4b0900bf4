/**
 * Pods without namespaces: each has a loopback address of its own (127.x.y.z), and a preloaded script turns its 127.0.0.1 into that
 * address. Files, processes and users are the machine's: paths of volumes are replaced where the command and the environment name them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type ContainerSpec, type Exit, exitCodeOf, type Run } from './container.ts';
import { findProgram, program } from './host.ts';
import { ContainerLog } from './logs.ts';
import { descendantsOf, signal } from './processes.ts';
import { DialError, type PodSandbox } from './sandbox.ts';

const shim = fileURLToPath(new URL('./loopback-shim.cjs', import.meta.url));

export class LoopbackSandbox implements PodSandbox {
  readonly address: string;
  constructor(address: string) {
    this.address = address;
  }

  dial(port: number, host = 'localhost'): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: host === 'localhost' ? this.address : host });
      socket.once('connect', () => resolve(socket));
      socket.once('error', (error: NodeJS.ErrnoException) => reject(new DialError(error.code ?? 'ECONNRESET')));
    });
  }

  async destroy(): Promise<void> {}
}

export class LoopbackContainer implements Run {
  readonly log = new ContainerLog();
  readonly startedAt = new Date();
  readonly spec: ContainerSpec;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #address: string;
  readonly #node: string;

  constructor(spec: ContainerSpec, address: string, node: string) {
    this.spec = spec;
    this.#address = address;
    this.#node = node;
    const child = this.#spawn(spec.argv, ['ignore', 'pipe', 'pipe']);
    this.pid = child.pid!;
    this.log.attach(child.stdout!);
    this.log.attach(child.stderr!);
    this.exited = once(child, 'close').then(([code, name]) => {
      this.log.end();
      // what it left behind has no namespace to die with
      return { exitCode: exitCodeOf(code, name), oomKilled: false };
    });
  }

  exec(argv: readonly string[]): ChildProcess {
    return this.#spawn(argv, ['pipe', 'pipe', 'pipe']);
  }

  has(command: string): boolean {
    return this.#isNode(command) || findProgram(command.split('/').at(-1)!) !== undefined;
  }

  signal(name: NodeJS.Signals): void {
    signal(this.pid, name);
  }

  signalAll(name: NodeJS.Signals): void {
    for (const pid of descendantsOf(this.pid)) signal(pid, name);
  }

  #isNode(command: string): boolean {
    return command === '/proc/1/exe' || command.split('/').at(-1) === 'node';
  }

  #spawn([command = '', ...args]: readonly string[], stdio: ('ignore' | 'pipe')[]): ChildProcess {
    const file = this.#isNode(command) ? this.#node : this.#localized(command);
    const { PATH: _, NODE_OPTIONS = '', ...given } = this.spec.environment;
    const values = Object.entries(given).map(([key, value]) => [key, this.#localized(value)]);
    const options = `--inspect-port=${this.#address}:9229 --require ${shim} ${this.#localized(NODE_OPTIONS)}`.trim();
    return spawn(program('setpriv'), ['--pdeathsig', 'KILL', '--', file, ...args.map((arg) => this.#localized(arg))], {
      cwd: this.spec.root,
      env: {
        ...Object.fromEntries(values),
        PATH: `${this.#node.replace(/\/node$/, '')}:${process.env.PATH ?? ''}`,
        NODE_OPTIONS: options,
        NODEOPS_CLUSTER_LOOPBACK: this.#address,
      },
      stdio,
    });
  }

  /** The text with paths of volumes replaced by where they are on this machine. */
  #localized(text: string): string {
    return this.spec.mounts.reduce((now, { source, target }) => {
      const inside = target.slice(this.spec.root.length);
      return now.replaceAll(`${inside}/`, `${source}/`);
    }, text);
  }
}
