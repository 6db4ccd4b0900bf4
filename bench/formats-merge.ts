/**
 * Merging the profiles of a fleet: 100 real CPU profiles of one application, each recorded by its own process, read from
 * .pb.gz one at a time and merged with their pod as label, as `pprof-cpu -l app=api` does.
 *
 *   node bench/formats-merge.ts [PROFILES] [ROUNDS]     (100 and 5)
 *
 * Prints the median time of each step over the rounds, and the peak RSS of a process that does that step only.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseCpuProfile } from '../src/formats/cpuprofile.ts';
import { diff } from '../src/formats/diff.ts';
import { fromPprof } from '../src/formats/from-pprof.ts';
import { fromCpuProfile } from '../src/formats/from-v8.ts';
import { Merger } from '../src/formats/merge.ts';
import { type Profile, textLabels } from '../src/formats/model.ts';
import { top } from '../src/formats/summary/top.ts';
import { toPprof } from '../src/formats/to-pprof.ts';

/** An application with many functions and stacks: many that call each other, and some sorting, hashing and JSON. */
const application = `
const { Session } = require('node:inspector/promises');
const { createHash } = require('node:crypto');
const source = require('node:fs').readFileSync(process.argv[1]).toString('latin1').slice(0, 20000);
const work = Array.from({ length: 200 }, (_, i) => (0, eval)('(function work' + i + '(next, depth, text) {' +
  'let sum = 0; for (let i = 0; i < 200; i++) sum += text.charCodeAt(i * ' + (i + 1) + ' % text.length); ' +
  'return depth > 0 ? sum + next((' + i + ' * 7 + (Math.random() * 6 | 0)) % 200, depth - 1) : sum; })'));
function next(i, depth) { return work[i](next, depth, source); }
function parse() { return JSON.parse(JSON.stringify({ list: source.split(' ') })); }
function hash() { return createHash('sha256').update(source).digest('hex'); }
function sort() { return source.split('').sort().join(''); }
async function main() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  for (let i = 0, end = Date.now() + 1000; Date.now() < end; i++) {
    next(i % 200, 4 + (i % 20));
    if (i % 1000 === 0) { parse(); hash(); sort(); await new Promise(setImmediate); }
  }
  process.stdout.write(JSON.stringify((await session.post('Profiler.stop')).profile));
}
main();`;

const steps = {
  'V8 JSON to .pb.gz, one profile': async (directory: string) => {
    const [first] = await files(directory, '.cpuprofile');
    await toPprof(fromCpuProfile(parseCpuProfile(await readFile(first!))));
  },
  'read one .pb.gz': async (directory: string) => {
    const [first] = await files(directory, '.pb.gz');
    fromPprof(await readFile(first!));
  },
  'merge all': async (directory: string) => void (await merged(directory)),
  'merge all, write .pb.gz': async (directory: string) => {
    await toPprof(await merged(directory));
  },
  'merge all, print top': async (directory: string) => void top(await merged(directory)),
  'merge halves, diff': async (directory: string) => {
    const paths = await files(directory, '.pb.gz');
    const half = paths.length >> 1;
    diff(await merged(directory, paths.slice(0, half)), await merged(directory, paths.slice(half)));
  },
};

async function merged(directory: string, paths?: string[]): Promise<Profile> {
  const merger = new Merger();
  for (const path of paths ?? (await files(directory, '.pb.gz')))
    merger.add(fromPprof(await readFile(path)), path, textLabels({ pod: basename(path, '.pb.gz') }));
  return merger.result();
}

async function files(directory: string, suffix: string): Promise<string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(directory, name));
}

/** One step in this process: prints milliseconds per round, the first left out, and the peak RSS. */
async function measure(step: keyof typeof steps, directory: string, rounds: number): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await steps[step](directory);
    times.push(performance.now() - start);
  }
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(JSON.stringify({ times: times.slice(1), peakBytes }));
}

async function recordAll(directory: string, count: number): Promise<void> {
  const script = fileURLToPath(import.meta.url);
  const names = Array.from({ length: count }, (_, i) => `api-${String(i).padStart(3, '0')}`);
  const worker = async () => {
    for (let name = names.pop(); name; name = names.pop()) {
      const { stdout } = await promisify(execFile)(process.execPath, ['-e', application, script], {
        maxBuffer: 1024 ** 3,
        timeout: 60_000,
      });
      await writeFile(join(directory, `${name}.cpuprofile`), stdout);
      await writeFile(join(directory, `${name}.pb.gz`), await toPprof(fromCpuProfile(parseCpuProfile(stdout))));
    }
  };
  await Promise.all([worker(), worker()]);
}

async function main(count: number, rounds: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bench-'));
  try {
    await recordAll(directory, count);
    const profile = await merged(directory);
    const sizes = await Promise.all((await files(directory, '.pb.gz')).map(async (path) => (await stat(path)).size));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    console.log(`${count} profiles, ${(bytes / 2 ** 20).toFixed(1)} MiB of .pb.gz, Node ${process.version}`);
    console.log(
      `merged: ${profile.sampleCount} samples, ${profile.stackParent.length} stacks, ${profile.functions.length} functions\n`,
    );
    console.log('| step | median | peak RSS |\n| --- | ---: | ---: |');
    for (const step of Object.keys(steps)) {
      const args = [fileURLToPath(import.meta.url), '--measure', step, directory, String(rounds)];
      const { times, peakBytes } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
      const median = times.sort((a: number, b: number) => a - b)[times.length >> 1];
      console.log(`| ${step} | ${median.toFixed(1)} ms | ${(peakBytes / 2 ** 20).toFixed(0)} MiB |`);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const [first, ...rest] = process.argv.slice(2);
if (first === '--measure') await measure(rest[0] as keyof typeof steps, rest[1]!, Number(rest[2]));
else await main(Number(first ?? 100), Number(rest[0] ?? 5));
