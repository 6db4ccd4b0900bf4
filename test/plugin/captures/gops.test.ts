import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProfile } from '../../../src/formats/read.ts';
import { captureAll } from '../../../src/plugin/captures/capture-all.ts';
import { printResult } from '../../../src/plugin/captures/result.ts';
import type { Io } from '../../../src/plugin/io.ts';
import { addressTarget } from '../../../src/plugin/targets/address.ts';
import type { CaptureName } from '../../../src/protocol/captures.ts';
import { GoAgent, profiles } from '../transport/gops/go-agent.ts';

let agent: GoAgent;
let directory: string;
beforeEach(async () => {
  agent = await new GoAgent().listen();
  directory = await mkdtemp(join(tmpdir(), 'nodeops-go-'));
});
afterEach(async () => {
  agent.close();
  await rm(directory, { recursive: true });
});

function io(signal = new AbortController().signal): Io & { stdout: PassThrough } {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  return { stdin, stdout, stderr, env: {}, program: 'nodeops', executable: 'nodeops', signal, now: () => new Date() };
}
const capture = (name: CaptureName, to = io(), parameters = {}) =>
  captureAll(
    [addressTarget('127.0.0.1', agent.port)],
    {
      capture: name,
      parameters,
      format: name === 'trace' ? 'v8' : 'pprof',
      convert: undefined,
      destination: { kind: 'directory', directory },
      timeoutMs: 20_000,
      concurrency: 1,
      merge: false,
    },
    to,
  );

describe('a Go process', () => {
  it.each([
    ['pprof-cpu', 'cpu', /^127\.0\.0\.1-\d+\.\d{8}T\d{6}Z\.cpu\.pb\.gz$/],
    ['pprof-heap', 'heap', /\.heap\.pb\.gz$/],
    ['trace', 'trace', /\.trace$/],
  ] as const)('%s is saved as Go wrote it, readable by its owner only', async (name, kind, expected) => {
    const { outcomes } = await capture(name);
    expect(outcomes[0]!.error).toBeUndefined();
    const [file] = await readdir(directory);
    expect(file).toMatch(expected);
    expect((await readFile(join(directory, file!))).equals(profiles[kind])).toBe(true);
    expect((await stat(join(directory, file!))).mode & 0o777).toBe(0o600);
    const { profile } = outcomes[0]!.value!;
    if (kind !== 'trace') expect(profile!.functions.map((fn) => fn.name)).toContain('runtime.main');
    if (kind === 'cpu') expect(readProfile(profiles.cpu).functions.length).toBe(profile!.functions.length);
  });

  it('the result names the command that opens a trace', async () => {
    const to = io();
    const captured = await capture('trace', to);
    await printResult({
      ...captured,
      capture: 'trace',
      single: true,
      skipped: [],
      format: undefined,
      streamed: false,
      io: to,
    });
    expect(String(to.stdout.read())).toMatch(/open it: go tool trace \S+\.trace\n$/);
  });

  it('says that gops fixes the duration', async () => {
    const { outcomes } = await capture('trace', io(), { duration: 1_000 });
    expect(outcomes[0]!.value!.notes).toEqual(["a Go process's trace takes 5 s, whatever --duration says"]);
  });

  it('has no heap snapshot', async () => {
    const { outcomes } = await capture('heapsnapshot');
    expect(outcomes[0]!.error).toMatchObject({ code: 'unsupported' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('Ctrl-C leaves no file', async () => {
    agent.captureMs = 3_000;
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(), 300);
    const { outcomes } = await capture('pprof-cpu', io(interrupted.signal));
    expect(outcomes[0]!.error).toMatchObject({ code: 'interrupted' });
    expect(await readdir(directory)).toEqual([]);
  });
});
