/** Apps that are looked at through their memory, and what V8 itself said of their stacks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NativeFrame, type NativeStack, readNativeStack } from '../../../src/inspect/native-frames/read.ts';

export const apps = new URL('./apps/', import.meta.url).pathname;
const readEveryMs = 20;

export class Looked {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout = '';

  constructor(node: string, args: string[]) {
    this.child = spawn(node, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      // a group of its own, so that what it starts ends with it
      detached: true,
      env: { PATH: process.env.PATH, SCRATCH: mkdtempSync(join(tmpdir(), 'nodeops-blocked-')) },
    });
    this.pid = this.child.pid as number;
    this.child.stdout?.on('data', (data) => {
      this.stdout += data;
    });
  }

  async firstLine(): Promise<string> {
    while (!this.stdout.includes('\n')) {
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}`);
      await Promise.race([once(this.child.stdout as NodeJS.ReadableStream, 'data'), once(this.child, 'exit')]);
    }
    return this.stdout.slice(0, this.stdout.indexOf('\n'));
  }

  read(): NativeStack {
    return readNativeStack(`/proc/${this.pid}`, 20_000);
  }

  /** The frames of the first look that finds that function to be the innermost one. */
  async framesOnceIn(name: string): Promise<NativeFrame[]> {
    for (;;) {
      const stack = this.read();
      if (stack.state === 'native' && stack.frames[0]?.function === name) return stack.frames;
      if (this.child.exitCode !== null) throw new Error(`ended with ${this.child.exitCode}: ${JSON.stringify(stack)}`);
      await sleep(readEveryMs);
    }
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    process.kill(-this.pid, 'SIGKILL');
    await ended;
  }
}

/** `FUNCTION PLACE` of each frame of an Error's stack that is of a script. */
export function framesOf(stack: string): string[] {
  return stack.split('\n').flatMap((line) => {
    const parts = /^ +at (?:async )?(?:(.*?) \(([^)]*)\)|(.*))$/.exec(line);
    const place = parts?.[2] ?? parts?.[3];
    if (!place || place === '<anonymous>') return [];
    // V8 puts in front of a name what it is called on, and `new`
    const name = (parts?.[1] ?? '').replace(/ \[as .*\]$/, '').replace(/^new /, '');
    return [`${name.slice(name.lastIndexOf('.') + 1)} ${place}`];
  });
}

export function lineOf({ function: name, file, line, column }: NativeFrame): string {
  return `${name} ${file}:${line}:${column}`;
}
