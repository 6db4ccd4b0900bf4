/** The plugin, ended by SIGKILL at every stage: what is left behind is nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { pluginScript } from '../bed/bundles.ts';
import { until } from '../bed/until.ts';
import type { App } from '../inspect/harness/app.ts';
import { bed, everyNode, helpers, listening, patiently, start, useBed } from './bed.ts';

useBed();
const { 24: node } = everyNode as { 24: string };
const directory = mkdtempSync(join(tmpdir(), 'nodeops-killed-'));
let plugin = '';
const payload = join(directory, 'payload.cjs');
const asking = new URL('asking.ts', import.meta.url).pathname;
const children: ChildProcess[] = [];

beforeAll(async () => {
  plugin = await pluginScript();
  writeFileSync(payload, bed.payload);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Counts aloud, so that standing still shows; its heap takes a while to write. */
const counting = `
  const kept = Array.from({ length: 300_000 }, (_, i) => ({ i, text: 'kept ' + i }));
  let n = 0;
  setInterval(() => console.log(n++ + kept.length * 0), 20);
  console.log('up');
`;

function run(app: App, ...args: string[]): ChildProcess & { said: string } {
  const child = spawn(node, [plugin, ...args, String(app.pid), '--attach=exec'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, HOME: directory },
  });
  children.push(child);
  const told = Object.assign(child, { said: '' });
  for (const stream of [child.stdout, child.stderr])
    stream!.on('data', (text) => {
      told.said += text;
    });
  return told;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** It runs on: it counts, listens nowhere, and nobody of ours is left. */
async function expectUntouched(app: App): Promise<void> {
  await until(() => helpers().length === 0 && listening(app.pid).length === 0);
  const { length } = app.stdout;
  await until(() => app.stdout.length > length + 20);
  expect(app.child.exitCode).toBeNull();
}

/** Artifacts on disk. */
function kept(): string[] {
  return (
    readdirSync(directory)
      .filter((name) => name.startsWith('nodeops-'))
      .flatMap((name) => readdirSync(join(directory, name)))
      // what keeps the store in order
      .filter((name) => !name.startsWith('.'))
  );
}

describe('the plugin is killed', () => {
  it('before it has signalled the process', async () => {
    const app = await start(node, ['-e', counting]);
    const child = run(app, 'stats', '--window', '20s');
    await until(() => helpers().length > 0);
    await kill(child);
    await expectUntouched(app);
  });

  it('while it is attached', async () => {
    const app = await start(node, ['-e', counting]);
    const child = run(app, 'stats', '--window', '20s');
    await until(() => app.stderr.includes('Debugger attached'));
    expect(listening(app.pid)).toHaveLength(1);
    await kill(child);
    await expectUntouched(app);
  });

  it('in the middle of a pause', async () => {
    const app = await start(node, ['-e', counting]);
    const child = spawn(node, [new URL('pausing.ts', import.meta.url).pathname, String(app.pid)], { stdio: 'pipe' });
    children.push(child);
    await once(child.stdout, 'data');
    // what it said before may still be on its way
    const saysMore = async () => {
      const { length } = app.stdout;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return app.stdout.length > length;
    };
    await expect.poll(saysMore, patiently).toBe(false);
    child.stdin.end();
    await once(child, 'exit');
    await expectUntouched(app);
  });

  it('and its helper with it, in the middle of a pause: the app runs on', async () => {
    const app = await start(node, ['-e', counting]);
    const child = spawn(node, [new URL('pausing.ts', import.meta.url).pathname, String(app.pid)], { stdio: 'pipe' });
    children.push(child);
    await once(child.stdout, 'data');
    await kill(child);
    const { length } = app.stdout;
    await until(() => app.stdout.length > length + 20);
  });

  it.each([
    ['in a CPU profile', 'pprof-cpu?duration=30000', undefined],
    ['in a trace', 'trace?duration=30000', undefined],
    ['in a heap profile', 'pprof-heap?duration=30000', undefined],
    ['in a heap snapshot', 'heapsnapshot?force=true', undefined],
    ['in a download', 'heapsnapshot?force=true', 'download'],
  ])('%s', async (_, path, download) => {
    const app = await start(node, ['-e', counting]);
    const args = [asking, payload, String(app.pid), path, ...(download ? [download] : [])];
    const child = spawn(node, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, TMPDIR: directory },
    });
    children.push(child);
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toBe('running\n');
    await kill(child);
    await expectUntouched(app);
    expect(kept()).toEqual([]);
  });
});
