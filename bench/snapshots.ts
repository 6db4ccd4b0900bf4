/**
 * Whether a heap snapshot that was not forced kills its process: heaps of many shapes, in a memory cgroup of so many times their resident memory.
 * By hand, as root where cgroups may be made: `npm run build && npm run bench snapshots -- SHARE` (SHARE: of the heaps' full size).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { table } from './measure.ts';

const nodes = [
  [24, 'node'],
  [20, 'node20'],
  [26, 'node26'],
  [22, 'node22'],
] as const;
const factors = [1.2, 1.5, 2, 3];
/** `n`: so many times the full size. */
const shapes = {
  objects: 'for (let i = 0; i < 1.2e6 * n; i++) k.push({ a: i, b: i * 2.5, c: null })',
  nested: 'for (let i = 0; i < 6e5 * n; i++) k.push({ a: { b: { c: i } } })',
  'parsed JSON': `const t = JSON.stringify(Array.from({ length: 3e4 * n }, (_, i) => ({ id: i, name: 'user' + i, tags: ['a', 'c' + i], at: { zip: i } })));
    for (let i = 0; i < 6; i++) k.push(JSON.parse(t))`,
  'short strings': `for (let i = 0; i < 1.5e6 * n; i++) k.push('key-' + i + '-value')`,
  'long strings': `for (let i = 0; i < 200 * n; i++) { const s = 'x'.repeat(1 << 20) + i; Buffer.from(s); k.push(s) }`,
  buffers: 'for (let i = 0; i < 200 * n; i++) k.push(Buffer.alloc(1 << 20, 1))',
  doubles: 'for (let i = 0; i < 100 * n; i++) k.push(Array.from({ length: 125000 }, (_, j) => j + 0.5))',
  'enum strings': `const c = ['US', 'FR', 'DE']; const a = []; for (let i = 0; i < 4e6 * n; i++) a.push(c[i % 3]); k.push(a)`,
  references:
    'const o = {}; for (let j = 0; j < 10; j++) { const a = []; for (let i = 0; i < 1e6 * n; i++) a.push(o); k.push(a) }',
  'object with many keys': `const o = Object.create(null); for (let i = 0; i < 1e6 * n; i++) o['p' + i] = i; k.push(o)`,
  'large Map': `const m = new Map(); for (let i = 0; i < 1.5e6 * n; i++) m.set('k' + i, { v: i }); k.push(m)`,
  'small Maps': 'for (let i = 0; i < 1.2e5 * n; i++) k.push(new Map([[i, { i }], ["a" + i, i]]))',
  WeakMap:
    'const w = new WeakMap(); for (let i = 0; i < 5e5 * n; i++) { const o = { i }; k.push(o); w.set(o, { v: i }) } k.push(w)',
  closures: 'for (let i = 0; i < 1e6 * n; i++) { const q = { i }; k.push(() => q) }',
  'empty arrays': 'for (let i = 0; i < 1.5e6 * n; i++) k.push([])',
};

const cgroup = '/sys/fs/cgroup/memory/nodeops-bench';
const [limitFile, unlimited] = ['memory.limit_in_bytes', '-1'];

export async function benchSnapshots(share: number): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'nodeops-bench-'));
  mkdirSync(cgroup, { recursive: true });
  try {
    const rows: string[][] = [];
    for (const [version, name] of nodes)
      for (const [shape, fill] of Object.entries(shapes)) {
        const app = join(dir, 'app.cjs');
        writeFileSync(
          app,
          `const n = ${share}, k = globalThis.k = []; ${fill}; gc(); gc(); console.log('up'); setInterval(() => {}, 1000)`,
        );
        const row = [String(version), shape];
        const took = await once(dir, resolve('node_modules', name, 'bin/node'), undefined);
        row.push(`${Math.round(took.rss)}`, `${Math.round(took.grew)}`);
        for (const factor of factors) {
          const { state, left } = await once(dir, resolve('node_modules', name, 'bin/node'), factor);
          row.push(state === 'refused' && left > 3 * took.grew ? `refused wrongly: ${Math.round(left)} left` : state);
        }
        process.stderr.write(`${row.join(' | ')}\n`);
        rows.push(row);
      }
    return table(['Node', 'heap', 'RSS, MiB', 'took, MiB', ...factors.map((factor) => `${factor} × RSS`)], rows);
  } finally {
    rmSync(dir, { recursive: true, force: true });
    rmdirSync(cgroup);
  }
}

interface Taken {
  /** `taken`, `refused`, `given up` or `KILLED`. */
  readonly state: string;
  readonly rss: number;
  readonly grew: number;
  /** Below the limit, before. */
  readonly left: number;
}

/** Without a factor it is forced, in no limit. */
async function once(dir: string, node: string, factor: number | undefined): Promise<Taken> {
  const port = await freePort();
  const child = spawn(node, ['--expose-gc', '--require', resolve('dist/agent/preload.cjs'), join(dir, 'app.cjs')], {
    env: { PATH: process.env.PATH, HOME: dir, TMPDIR: dir, NODEOPS_CONFIG_DIR: dir, NODEOPS_PORT: String(port) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  try {
    writeFileSync(`${cgroup}/${limitFile}`, unlimited);
    writeFileSync(`${cgroup}/cgroup.procs`, String(child.pid));
    await new Promise((up, fail) => {
      child.stdout!.once('data', up);
      child.once('exit', () => fail(new Error('it did not start')));
    });
    await sleep(800);
    const rss = status(child, 'VmRSS');
    if (factor !== undefined) writeFileSync(`${cgroup}/${limitFile}`, String(Math.round(rss * factor) * 1024 ** 2));
    const left = factor === undefined ? 0 : rss * factor - Number(read('memory.usage_in_bytes')) / 1024 ** 2;
    const job = await ask(port, 'POST', `heapsnapshot${factor === undefined ? '?force=true' : ''}`);
    let state = 'running';
    for (
      let error = '';
      state === 'running' && child.exitCode === null && child.signalCode === null;
      await sleep(200)
    ) {
      const { data } = await ask(port, 'GET', `jobs/${job.data?.id}`).catch(() => ({ data: undefined }));
      error = data?.error?.code ?? '';
      if (data && data.state !== 'running')
        state = data.state === 'finished' ? 'taken' : error === 'refused' ? error : 'given up';
    }
    // one that was given up goes on in V8
    if (state === 'given up') await sleep(3_000);
    const killed = child.exitCode !== null || child.signalCode !== null;
    return { state: killed ? 'KILLED' : state, rss, grew: killed ? Number.NaN : status(child, 'VmHWM') - rss, left };
  } finally {
    writeFileSync(`${cgroup}/${limitFile}`, unlimited);
    child.kill('SIGKILL');
    await ended;
  }
}

function read(file: string): string {
  return readFileSync(`${cgroup}/${file}`, 'utf8');
}

/** MiB */
function status({ pid }: ChildProcess, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

interface Answer {
  readonly data?: { readonly id?: string; readonly state?: string; readonly error?: { readonly code: string } | null };
}

function ask(port: number, method: string, path: string): Promise<Answer> {
  return new Promise((done, fail) => {
    const options = {
      host: '127.0.0.1',
      port,
      method,
      path: `/v1/${path}`,
      headers: { 'x-nodeops': '1' },
      timeout: 60_000,
    };
    const asked = request(options, (reply) => {
      let text = '';
      reply
        .on('data', (chunk) => (text += chunk))
        .on('end', () => done(JSON.parse(text) as Answer))
        .on('error', fail);
    });
    asked
      .on('error', fail)
      .on('timeout', () => asked.destroy(new Error('no answer')))
      .end();
  });
}
