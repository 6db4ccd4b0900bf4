/** The loader on every Node that it is written for, with what a container's NODE_OPTIONS may hold. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkHeadroom, checkLimit, memoryQuantity } from '../../../../src/plugin/transport/attach/headroom.ts';
import { encodePayload, greetingReader, loaderArguments } from '../../../../src/plugin/transport/attach/loader.ts';
import { everyNode } from '../../../sidecar/bed.ts';

const directory = mkdtempSync(join(tmpdir(), 'nodeops-loader-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Says who it is, and then what comes in, backwards. */
const payload = `
  process.stdout.write(JSON.stringify([process.argv[2], process.env.NODE_OPTIONS ?? null]) + '\\n');
  import('node:os').then(({ EOL }) => process.stdin.on('data', (text) => process.stdout.write(String(text).split('').reverse().join('') + EOL)));
`;

async function run(node: string, env: Record<string, string>) {
  const child = spawn(node, loaderArguments('app'), {
    stdio: 'pipe',
    cwd: directory,
    env: { PATH: process.env.PATH, ...env },
  });
  const read = greetingReader();
  let greeted: ReturnType<typeof read>;
  let after = '';
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (greeted) {
      after += chunk;
      return;
    }
    greeted = read(chunk);
    if (greeted) {
      after += greeted.rest;
      child.stdin.write(encodePayload(payload));
      child.stdin.write('olleh');
    }
  });
  await expect.poll(() => after.split('\n').length, { timeout: 40_000 }).toBe(3);
  child.stdin.end();
  const [code] = await once(child, 'exit');
  return { greeting: greeted!.greeting, after, stderr, code };
}

describe.each(Object.entries(everyNode))('the loader on Node %s', (major, node) => {
  it('greets, runs what it is sent, and leaves the rest of stdin to it', async () => {
    const { greeting, after, stderr, code } = await run(node, {});
    expect(greeting).toMatchObject({ version: expect.stringMatching(`^v${major}\\.`), uid: process.getuid!() });
    expect({ after, stderr, code }).toEqual({ after: '["app",null]\nhello\n', stderr: '', code: 0 });
  });

  it('is free of what NODE_OPTIONS opens, preloads and prints', async () => {
    const options = ['--inspect-brk=0', '--import=data:text/javascript,console.log(`noise`)'];
    if (Number(major) >= 22) options.push('--cpu-prof', '--heap-prof');
    // --import is newer than the first of Node 18
    const NODE_OPTIONS = options.join(' ');
    const { after, code } = await run(node, { NODE_OPTIONS, NODE_V8_COVERAGE: join(directory, 'coverage') });
    expect({ after, code }).toEqual({ after: '["app",null]\nhello\n', code: 0 });
  });
});

it('writes no profile anywhere', () => {
  expect(readdirSync(directory).filter((name) => name !== 'coverage')).toEqual([]);
});

describe('the memory there is', () => {
  const mebibyte = 1024 * 1024;
  const greeting = { version: 'v24.0.0', pid: 1, uid: 0 };

  it('is read from the pod as Kubernetes writes quantities', () => {
    expect(['64Mi', '1G', '1e9', '128974848', '0.5Gi', '128974848000m'].map(memoryQuantity)).toEqual([
      64 * mebibyte,
      1e9,
      1e9,
      128974848,
      512 * mebibyte,
      128974848,
    ]);
    expect([undefined, '', 'lots'].map(memoryQuantity)).toEqual([null, null, null]);
  });

  it('is refused below what attaching takes', () => {
    expect(() => checkLimit('x', 32 * mebibyte)).toThrow(expect.objectContaining({ code: 'refused' }));
    expect(() => checkLimit('x', 64 * mebibyte)).not.toThrow();
    const used = (usedBytes: number) => () =>
      checkHeadroom('x', { ...greeting, limitBytes: 128 * mebibyte, usedBytes: usedBytes * mebibyte });
    expect(used(70)).toThrow('x uses 70.0MB of its memory limit of 128.0MB, and attaching takes about 64.0MB of it');
    expect(used(60)).not.toThrow();
    expect(() => checkHeadroom('x', { ...greeting, limitBytes: null, usedBytes: null })).not.toThrow();
  });

  it('and a greeting that does not come is noticed', () => {
    const read = greetingReader();
    expect(read(Buffer.from('something else\n'))).toBeUndefined();
    expect(() => read(Buffer.alloc(100_000, 'x'))).toThrow('printed more than 65536 bytes');
  });
});
