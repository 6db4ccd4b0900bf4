/** What a process in a pod waits for, and where it was created. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Wait } from '../../src/protocol/waits.ts';
import { type Bed, openBed } from './bed.ts';
import { container, nativeBlock, pod } from './pods.ts';

let bed: Bed;
const serving = `
  function startServer() { require('node:http').createServer(() => {}).listen(3000); }
  startServer();
  setInterval(function heartbeat() {}, 30_000);
  setTimeout(function ask() { require('node:http').get('http://127.0.0.1:3000/slow?key=secret').on('error', () => {}); }, 300);
`;
const spinning = `${serving} setTimeout(function spin() { require('node:os').setPriority(19); for (;;) {} }, 800);`;

beforeAll(async () => {
  bed = await openBed();
  await bed.create(
    pod('plain-0', [container(bed, { script: serving })], {}, { tier: 'waits' }),
    pod('tracked-0', [container(bed, { script: spinning, env: { NODEOPS_TRACK: 'async' } })], {}, { tier: 'waits' }),
    pod('native-0', [container(bed, { script: nativeBlock })], {}, { tier: 'waits' }),
  );
  await bed.ready('plain-0', 'tracked-0', 'native-0');
  await vi.waitFor(async () => expect((await bed.nodeops(['version', '-l', 'tier=waits'])).code).toBe(0), {
    timeout: 50_000,
    interval: 200,
  });
  // both requests are under way, and the loops blocked that are to be
  await vi.waitFor(
    async () => expect((await bed.nodeops(['waits', 'plain-0'])).stdout).toContain('GET /slow to answer'),
    { timeout: 50_000, interval: 200 },
  );
});
afterAll(() => bed?.close());

describe('waits', () => {
  it('lists servers, sockets with their requests, and timers', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['waits', 'plain-0']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^servers: 1\n {4}(?:\[::\]|0\.0\.0\.0):3000, 1 connection$/m);
    expect(stdout).toMatch(/127\.0\.0\.1:3000 <-> 127\.0\.0\.1:\d+ \(ESTABLISHED\), .* read, .*GET \/slow to answer/);
    expect(stdout).toMatch(/GET 127\.0\.0\.1\/slow under way/);
    expect(stdout).toMatch(/every 30000 ms, in \d+\.\d\ds, calls heartbeat \(/);
    expect(stdout).not.toMatch(/secret|created/);
  });

  it('answers for a blocked loop, with where each was created when that was asked for', async () => {
    await vi.waitFor(async () => expect((await bed.nodeops(['stack', 'tracked-0'])).stdout).toContain('spin'), {
      timeout: 50_000,
      interval: 200,
    });
    const { code, stdout } = await bed.nodeops(['waits', 'tracked-0', '-o', 'json']);
    expect(code).toBe(0);
    const { data } = JSON.parse(stdout) as { data: { waits: Wait[]; tracking: { kept: number } } };
    const server = data.waits.find(({ kind }) => kind === 'server');
    expect(server?.created?.[0]).toMatchObject({ function: 'startServer' });
    expect(server?.ageMs).toBeGreaterThan(500);
    expect(data.tracking.kept).toBeGreaterThan(0);
  });

  it('is a table over targets, one that is stuck in native code among them', async () => {
    const { code, stdout, stderr } = await bed.nodeops(['waits', '-l', 'tier=waits']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TARGET +PROCESS +SERVERS +SOCKETS +HTTP +TIMERS/);
    expect(lines).toHaveLength(4);
    expect(lines.find((line) => line.startsWith('plain-0'))).toMatch(/^plain-0 +app\/1 +1 +2 +2 +1 /);
    expect(stderr).toMatch(/note: pod\/native-0: only sockets, child processes/);
  });

  it('-o name and -o yaml say the same in their own way', async () => {
    expect((await bed.nodeops(['waits', '-l', 'tier=waits', '-o', 'name'])).stdout).toBe(
      'pod/native-0\npod/plain-0\npod/tracked-0\n',
    );
    expect((await bed.nodeops(['waits', 'plain-0', '-o', 'yaml'])).stdout).toMatch(/^ {4}- .*\n[\s\S]*kind: server/m);
  });
});
