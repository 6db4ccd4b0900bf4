/** Real profiles, recorded by child processes of the Node versions that agents run on. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Profile } from '../../src/formats/model.ts';

const run = promisify(execFile);

export const nodes = (['node20', 'node22', 'node', 'node26'] as const).map((name) => ({
  name: name === 'node' ? 'node24' : name,
  path: resolve('node_modules', name, 'bin/node'),
}));

/** Runs a CommonJS script in which `session.post(method, params)` returns a promise; its last `result(value)` is returned. */
export async function record(nodePath: string, script: string, name = 'app.cjs'): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-formats-'));
  try {
    const file = join(directory, name);
    await writeFile(file, script);
    return await recordFile(nodePath, file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** As record, of a file that is there, with flags for Node. */
export async function recordFile(nodePath: string, file: string, flags: string[] = []): Promise<string> {
  const loader = `
    const { Session } = require('node:inspector/promises');
    const session = new Session();
    session.connect();
    globalThis.session = session;
    globalThis.result = (value) => require('node:fs').writeSync(1, JSON.stringify(value));
    require(${JSON.stringify(file)});`;
  const { stdout } = await run(nodePath, [...flags, '-e', loader], {
    timeout: 110_000,
    maxBuffer: 256 * 1024 * 1024,
    env: { PATH: process.env.PATH },
  });
  return stdout;
}

/** Burns so much time of a CPU in `burn`, which recurses, then idles. Line numbers matter to tests. */
export const cpuScript = `function burn(n) {
  if (n < 2) return n;
  return burn(n - 1) + burn(n - 2);
}
async function main() {
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  for (const { user } = process.cpuUsage(); process.cpuUsage().user - user < 250_000; ) burn(20);
  await new Promise((done) => setTimeout(done, 200));
  result((await session.post('Profiler.stop')).profile);
}
main();
`;

/** Keeps 20,000 objects of `keepObjects` alive and lets as many of `dropObjects` go. */
export const heapScript = (flags = '{}'): string => `const kept = [];
class Kept { constructor(i) { this.a = i; this.b = i; this.c = i; } }
function keepObjects() { for (let i = 0; i < 20000; i++) kept.push(new Kept(i)); }
function dropObjects() { let last; for (let i = 0; i < 20000; i++) last = { i, text: 'x' + i }; return last; }
async function main() {
  await session.post('HeapProfiler.startSampling', { samplingInterval: 1024, ...${flags} });
  keepObjects();
  dropObjects();
  await session.post('HeapProfiler.collectGarbage');
  result((await session.post('HeapProfiler.stopSampling')).profile);
}
main();
`;

/** All of a profile as sorted text, for comparing two: order and ids do not matter. */
export function contents(profile: Profile): string[] {
  const samples = Array.from({ length: profile.sampleCount }, (_, i) => {
    const stack = profile.framesOf(profile.sampleStack[i]!).map((frame) => {
      const { name, systemName, file, line } = profile.functions[profile.frameFunction[frame]!]!;
      return `${name}|${systemName}|${file}:${line}@${profile.frameLine[frame]}`;
    });
    const labels = profile.labelSets[profile.sampleLabels[i]!]!.map((label) => JSON.stringify(label)).sort();
    return `${stack.join(';')} {${labels.join()}} ${profile.values.map((column) => column[i]).join(' ')}`;
  });
  return [JSON.stringify(profile.sampleTypes), ...samples.sort()];
}

/** The name and place of the function with the largest flat value. */
export function hottest(profile: Profile, column: number): string {
  const sums = new Map<string, number>();
  for (let i = 0; i < profile.sampleCount; i++) {
    const leaf = profile.framesOf(profile.sampleStack[i]!)[0];
    if (leaf === undefined) continue;
    const { name } = profile.functions[profile.frameFunction[leaf]!]!;
    sums.set(name, (sums.get(name) ?? 0) + profile.values[column]![i]!);
  }
  return [...sums].sort(([, a], [, b]) => b - a)[0]![0];
}
