/**
 * Small programs of every kind, each with and without the agent: output, errors, exit code and what async hooks see are the same to the
 * byte. `// flags:`, `// stdin:` and `// versions:` at the head of a program say how it is run.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { bed, nodeOf, useBed, versions } from './bed.ts';

useBed();

type Version = keyof typeof versions;
type Mode = 'watch' | 'standby';
const folder = resolve('test/agent/corpus');
const programs = readdirSync(folder);
/** Processes at a time. */
const atOnce = 4;

/**
 * What can still be told apart, and no more than that: where the watcher's thread starts with the app, a first await goes on in a tick.
 * docs/guest.md names it.
 */
const excused: readonly { readonly programs: RegExp; readonly modes: readonly Mode[]; readonly text: RegExp }[] = [
  // agents of tests that run beside this one ask it who it is, as members of one pod would
  { programs: /^hooks-long/, modes: ['standby'], text: /,TCPWRAP.*$/gm },
  // Node 20 and 22 measure delays by a timer of libuv, which they list while the watcher has it on
  { programs: /^resources/, modes: ['watch'], text: /^(?:IntervalHistogram)? [01]\n|IntervalHistogram,/gm },
  { programs: /^throws\.mjs$/, modes: ['watch'], text: /\n +at process\.processTicksAndRejections .*/g },
];
interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: string | null;
}

function run(name: string, version: Version, env: Record<string, string>): Promise<Ran> {
  const head = readFileSync(join(folder, name), 'utf8');
  const said = (what: string) => new RegExp(`^// ${what}: (.*)$`, 'm').exec(head)?.[1];
  const flags = (said('flags') ?? '').replaceAll('$DIR', folder).split(' ').filter(Boolean);
  const stdin = said('stdin');
  return new Promise((settle, reject) => {
    const child = spawn(resolve(nodeOf(version)), [...flags, join(folder, name)], {
      env: { PATH: process.env.PATH, HOME: bed.dir, ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream]!.setEncoding('utf8').on('data', (chunk: string) => (text[stream] += chunk));
    child.stdin?.end(stdin);
    child.on('error', reject);
    // only the numbers of processes differ from run to run
    const plain = (output: string) => output.replace(/\(node:\d+\)/g, '(node)');
    child.on('close', (code, signal) =>
      settle({ stdout: plain(text.stdout), stderr: plain(text.stderr), code, signal }),
    );
  });
}

function runsOn(name: string, version: Version): boolean {
  const listed = /^\/\/ versions: (.*)$/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1];
  return listed === undefined || listed.split(' ').includes(String(version));
}

/** Programs that are not the same with the agent, with both ways they went. */
async function differing(version: Version, mode: Mode): Promise<Record<string, { bare: Ran; agent: Ran }>> {
  const left = programs.filter((name) => runsOn(name, version));
  const different: Record<string, { bare: Ran; agent: Ran }> = {};
  const env = {
    NODE_OPTIONS: `--require=${bed.preload}`,
    NODEOPS_PORT: '0',
    NODEOPS_MODE: mode,
    NODEOPS_CONFIG_DIR: mkdtempSync(join(bed.dir, 'corpus-')),
  };
  const next = async (): Promise<void> => {
    for (let program = left.shift(); program !== undefined; program = left.shift()) {
      const name = program;
      const [bare, agent] = await Promise.all([run(name, version, {}), run(name, version, env)]);
      const plain = (text: string) =>
        excused
          .filter(({ programs: named, modes }) => named.test(name) && modes.includes(mode))
          .reduce((left, excuse) => left.replace(excuse.text, ''), text);
      const told = (ran: Ran) => JSON.stringify([plain(ran.stdout), plain(ran.stderr)]);
      const isSame = told(bare) === told(agent) && bare.code === agent.code && bare.signal === agent.signal;
      if (!isSame) different[name] = { bare, agent };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
  return different;
}

it('has programs of many kinds', () => expect(programs.length).toBeGreaterThanOrEqual(40));

const cases = (Object.keys(versions).map(Number) as Version[]).flatMap((version) =>
  (['watch', 'standby'] as const).map((mode) => [version, mode] as const),
);
it.each(cases)('Node %i, %s: the app does not notice', { timeout: 400_000 }, async (version, mode) => {
  expect(await differing(version, mode)).toEqual({});
});
