import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readNativeStack } from '../../../src/inspect/native-frames/read.ts';
import { nodes } from '../harness/app.ts';
import { Looked } from './app.ts';

const modules = new URL('../../../node_modules/', import.meta.url).pathname;

it('says what it cannot read: another program, a V8 it does not know, no such process', async () => {
  const other = spawn('sleep', ['60'], { stdio: 'ignore' });
  const old = new Looked(join(modules, 'node18/bin/node'), [
    '-e',
    'console.log(); require("child_process").execSync("sleep 60")',
  ]);
  try {
    await old.firstLine();
    expect(readNativeStack(`/proc/${other.pid}`)).toEqual({
      state: 'unreadable',
      reason: 'no v8dbg_type_Map__MAP_TYPE in the executable',
    });
    expect(old.read()).toMatchObject({
      state: 'unreadable',
      reason: expect.stringMatching(/v8dbg_|layout is not known/),
    });
    expect(readNativeStack('/proc/999999999')).toMatchObject({ state: 'unreadable' });
  } finally {
    other.kill();
    await old.end();
  }
});

it('finds no JavaScript where there is none: an event loop that waits', async () => {
  const app = new Looked(nodes[24], ['-e', 'setInterval(() => {}, 100_000); console.log()']);
  try {
    await app.firstLine();
    await expect.poll(() => app.read().state).toBe('none');
  } finally {
    await app.end();
  }
});

it('finds nothing to say while JavaScript runs: the inspector interrupts that', async () => {
  const app = new Looked(nodes[24], ['-e', 'console.log(); for (;;);']);
  try {
    await app.firstLine();
    await expect.poll(() => app.read().state).toBe('running');
  } finally {
    await app.end();
  }
});
