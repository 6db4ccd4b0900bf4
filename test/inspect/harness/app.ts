import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Reading, ReadingName } from '../../../src/inspect/subject.ts';
import type { Replies } from '../../../src/protocol/replies.ts';

const modules = new URL('../../../node_modules/', import.meta.url).pathname;
export const nodes = {
  20: join(modules, 'node20/bin/node'),
  22: join(modules, 'node22/bin/node'),
  24: join(modules, 'node/bin/node'),
  26: join(modules, 'node26/bin/node'),
} as const;
export type NodeMajor = keyof typeof nodes;
export const majors = Object.keys(nodes).map(Number) as NodeMajor[];
export const apps = new URL('../apps/', import.meta.url).pathname;

export type Answer<N extends ReadingName> = Reading<Replies[N]> & { tookMs: number };

export class App {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout = '';
  stderr = '';
  /** What comes on descriptor 3: the port of the harness, and that the app has begun with what it is for. */
  #told = '';
  #port: Promise<number> | undefined;

  constructor(
    node: string,
    args: string[],
    { harness, env = {} }: { harness?: string; env?: Record<string, string> } = {},
  ) {
    const preload = harness ? ['--require', join(harness, 'preload.cjs')] : [];
    this.child = spawn(node, [...preload, ...args], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      // a group of its own, so that what it starts ends with it
      detached: true,
      env: { PATH: process.env.PATH, ...env },
    });
    this.pid = this.child.pid!;
    this.child.stdout!.on('data', (data) => {
      this.stdout += data;
    });
    this.child.stderr!.on('data', (data) => {
      this.stderr += data;
    });
    this.child.stdio[3]!.on('data', (data) => {
      this.#told += data;
    });
    if (harness) this.#port = this.#hears(/^(\d+)\n/m).then(([, port]) => Number(port));
  }

  /** Waits until the app's script has run and, with the harness, its worker answers. */
  async up(): Promise<this> {
    await this.said(/^up$/m);
    await this.#port;
    return this;
  }

  said(pattern: RegExp, timeoutMs = 40_000): Promise<RegExpExecArray> {
    return this.#matches(pattern, () => this.stdout, timeoutMs);
  }

  #hears(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#matches(pattern, () => this.#told, 40_000);
  }

  async #matches(pattern: RegExp, text: () => string, timeoutMs: number): Promise<RegExpExecArray> {
    const endAt = Date.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(text());
      if (match) return match;
      if (Date.now() > endAt) throw new Error(`${pattern} was not said: ${text()} ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Lets it do what it is for, and waits until it is in the middle of it. */
  async go(): Promise<this> {
    this.child.stdin!.write('go\n');
    await this.#hears(/going/);
    const begin = this.#mainThread();
    // it works, or it waits: what has been told to run and does not run yet is neither
    for (let waits = 0; waits < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const now = this.#mainThread();
      if (!begin || !now || now.ticks > begin.ticks + 5) break;
      waits = now.state === 'R' ? 0 : waits + 1;
    }
    return this;
  }

  /** Its state, and how much of a CPU it has used, in ticks of 10 ms; undefined when it has ended. */
  #mainThread(): { state: string; ticks: number } | undefined {
    try {
      const stat = readFileSync(`/proc/${this.pid}/task/${this.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return { state: fields[0]!, ticks: Number(fields[11]) + Number(fields[12]) };
    } catch {
      return undefined;
    }
  }

  async ask<N extends ReadingName>(name: N, parameters: object = {}): Promise<Answer<N>> {
    const socket = connect((await this.#port)!, '127.0.0.1');
    socket.write(JSON.stringify({ name, parameters }));
    let text = '';
    for await (const piece of socket) text += piece;
    const answer = JSON.parse(text) as Answer<N> & { error?: string };
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  /** The last number that it has printed as `count N`; 0 before the first. */
  counted(): number {
    return Number([...this.stdout.matchAll(/^count (\d+)\n/gm)].at(-1)?.[1] ?? 0);
  }

  /** Has its worker pause the main thread and end in mid-pause. */
  async pauseAndDie(): Promise<void> {
    const socket = connect((await this.#port)!, '127.0.0.1');
    socket.write(JSON.stringify({ name: 'pause and die' }));
    await once(socket, 'data');
    socket.destroy();
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      process.kill(-this.pid, 'SIGKILL');
      await once(this.child, 'close');
    }
  }
}
