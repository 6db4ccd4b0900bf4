/** What the containers of a pod share: a network, host name and IPC namespace, a pid namespace if asked for, and the dialer. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { loopbackUp, program } from './host.ts';
import { childrenOf } from './processes.ts';

const dialer = fileURLToPath(new URL('./dialer.mjs', import.meta.url));

export class DialError extends Error {
  /** The kernel's code, such as ECONNREFUSED. */
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** What streams and probes need of a pod's network. */
export interface PodSandbox {
  readonly address: string;
  /** Connects to `localhost` or an address as the pod sees it. Throws DialError. */
  dial(port: number, host?: string): Promise<Socket>;
  destroy(): Promise<void>;
}

export class Sandbox implements PodSandbox {
  readonly address: string;
  readonly #process: ChildProcess;
  readonly #pid: number;
  readonly #sharesPids: boolean;
  #dialer: Promise<ChildProcess> | undefined;
  #nextDial = 0;

  private constructor(process: ChildProcess, pid: number, address: string, sharesPids: boolean) {
    this.#process = process;
    this.#pid = pid;
    this.address = address;
    this.#sharesPids = sharesPids;
  }

  /** `hostname` must be a DNS label, `address` an IPv4 address: both go into a shell script. */
  static async create(hostname: string, address: string, sharePids: boolean): Promise<Sandbox> {
    // a shared pid namespace needs a first process that reaps; otherwise one that waits for our end of the pipe is enough
    const wait = sharePids ? 'while :; do sleep 3600 & wait $!; done' : 'read line';
    const script = `hostname ${hostname} 2>/dev/null; ${loopbackUp(address)} && echo ready && ${wait}`;
    const pids = sharePids ? ['--pid', '--fork', '--kill-child'] : [];
    const child = spawn(program('unshare'), ['--net', '--uts', '--ipc', ...pids, '/bin/sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (complaint += text));
    const ready = await Promise.race([
      once(child.stdout, 'data').then(() => true),
      once(child, 'exit').then(() => false),
    ]);
    if (!ready) throw new Error(`cannot make a pod's network namespace: ${complaint.trim()}`);
    const pid = sharePids ? childrenOf(child.pid!)[0]! : child.pid!;
    return new Sandbox(child, pid, address, sharePids);
  }

  /** Arguments for nsenter to get into what the pod shares. */
  get enter(): string[] {
    const at = (kind: string) => `/proc/${this.#pid}/ns/${kind}`;
    const pids = this.#sharesPids ? [`--pid=${at('pid')}`] : [];
    return [`--net=${at('net')}`, `--uts=${at('uts')}`, `--ipc=${at('ipc')}`, ...pids];
  }

  get sharesPids(): boolean {
    return this.#sharesPids;
  }

  /** The first process of a shared pid namespace. */
  get pid(): number {
    return this.#pid;
  }

  /**
   * Connects inside the pod's network namespace: to `localhost` (IPv4, then IPv6, as containerd does) or to an address. The socket
   * that comes back is the pod's own: a helper process in the namespace connects it and passes it on. Throws DialError.
   */
  async dial(port: number, host = 'localhost'): Promise<Socket> {
    this.#dialer ??= this.#startDialer();
    const child = await this.#dialer;
    const id = this.#nextDial++;
    return new Promise((resolve, reject) => {
      const done = () => {
        child.off('message', onMessage);
        child.off('exit', onExit);
      };
      const onMessage = (message: { id: number; error?: string }, socket?: unknown) => {
        if (message.id !== id) return;
        done();
        if (socket) resolve(socket as Socket);
        else reject(new DialError(message.error ?? 'ECONNRESET'));
      };
      const onExit = () => {
        done();
        reject(new DialError('ENETDOWN'));
      };
      child.on('message', onMessage as (message: unknown, socket: unknown) => void);
      child.on('exit', onExit);
      if (!child.connected) return onExit();
      child.send({ id, port, host });
    });
  }

  async #startDialer(): Promise<ChildProcess> {
    const child = fork(dialer, [], {
      execPath: program('nsenter'),
      execArgv: [`--net=/proc/${this.#pid}/ns/net`, process.execPath],
      env: {},
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.setMaxListeners(0);
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    return child;
  }

  async destroy(): Promise<void> {
    const dialing = await this.#dialer;
    dialing?.kill('SIGKILL');
    const gone = this.#process.exitCode === null && this.#process.signalCode === null;
    const exit = gone ? once(this.#process, 'exit') : undefined;
    if (this.#sharesPids) kill(this.#pid);
    this.#process.kill('SIGKILL');
    await exit;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // already gone
  }
}
