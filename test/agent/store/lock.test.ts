import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { exclusively } from '../../../src/agent/store/lock.ts';

const root = mkdtempSync(join(tmpdir(), 'nodeops-turn-'));
let store = '';
beforeEach(() => {
  store = mkdtempSync(join(root, 'store-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs a program that may take turns in the store; resolves with what it printed when it has ended. */
function run(body: string): Promise<string> {
  const source = `import { exclusively } from ${JSON.stringify(resolve('src/agent/store/lock.ts'))};
    import fs from 'node:fs'; const store = ${JSON.stringify(store)}; ${body}`;
  const child = spawn(
    process.execPath,
    ['--experimental-strip-types', '--no-warnings', '--input-type=module-typescript', '-e', source],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  return new Promise((done) => child.on('close', () => done(text)));
}

it('lets one in at a time, of several processes that find no token at first', async () => {
  const counter = join(store, 'counter');
  writeFileSync(counter, '0');
  // not atomic by itself: what is read is written back later
  const count = `for (let n = 0; n < 100; n++) exclusively(store, () => {
    const value = Number(fs.readFileSync(store + '/counter', 'utf8'));
    for (const end = performance.now() + Math.random(); performance.now() < end;);
    fs.writeFileSync(store + '/counter', String(value + 1));
  }, 60000);`;
  await Promise.all(Array.from({ length: 5 }, () => run(count)));
  expect(readFileSync(counter, 'utf8')).toBe('500');
  expect(readdirSync(join(store, '.turn'))).toEqual(['free']);
  expect(readdirSync(store).sort()).toEqual(['.turn', 'counter']);
});

it('goes on at once after one that was killed in its turn', async () => {
  await run(`exclusively(store, () => process.kill(process.pid, 'SIGKILL'));`);
  expect(readdirSync(join(store, '.turn'))).toEqual([expect.stringMatching(/^held-/)]);
  expect(exclusively(store, () => 'mine', 1_000)).toBe('mine');
  expect(readdirSync(join(store, '.turn'))).toEqual(['free']);
});

it('gives up after its time, and goes on when what held it cannot be seen any more', () => {
  exclusively(store, () => expect(() => exclusively(store, () => {}, 50)).toThrow(/held by another process/));
  const token = join(store, '.turn');
  rmSync(token, { recursive: true });
  expect(exclusively(store, () => readdirSync(token))).toEqual([expect.stringMatching(/^held-/)]);
});
