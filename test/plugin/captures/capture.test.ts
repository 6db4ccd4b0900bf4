import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProfile } from '../../../src/formats/read.ts';
import { type CaptureAllRequest, captureAll } from '../../../src/plugin/captures/capture-all.ts';
import { conversion } from '../../../src/plugin/captures/formats.ts';
import type { CaptureName } from '../../../src/protocol/captures.ts';
import { type AgentOptions, TestAgent } from './agent.ts';
import { quickLimits, testIo } from './io.ts';
import { cpuProfile, heapProfile } from './recorded.ts';

let directory: string;
const agents: TestAgent[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-capture-'));
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.down()));
  await rm(directory, { recursive: true, force: true });
});

async function agent(options: AgentOptions): Promise<TestAgent> {
  const started = await new TestAgent(options).listen();
  agents.push(started);
  return started;
}

async function request(capture: CaptureName, more: Partial<CaptureAllRequest> = {}): Promise<CaptureAllRequest> {
  const format = more.format ?? 'v8';
  return {
    capture,
    parameters: {},
    format,
    convert: await conversion(capture, { format, sourceMaps: undefined }),
    destination: { kind: 'directory', directory },
    timeoutMs: 20_000,
    concurrency: 32,
    merge: true,
    limits: quickLimits,
    ...more,
  };
}

const patiently = { timeout: 30_000 };
const watched = (one: TestAgent) => expect.poll(() => one.watched(), patiently).toBe(true);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
/** Hardly compressible, so that a cut on the wire is a cut in the middle. */
const snapshot = randomBytes(300_000);

describe('a capture', () => {
  it.each(['zstd', 'gzip', 'identity'] as const)(
    'arrives whole over %s and is removed from the agent',
    async (encoding) => {
      const one = await agent({ bytes: snapshot, encoding });
      const { io } = testIo();
      const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
      expect(outcomes[0]!.error).toBeUndefined();
      const [file] = outcomes[0]!.value!.files;
      expect(file).toMatchObject({ bytes: snapshot.length, sha256: sha256(snapshot) });
      expect(file!.path).toBe(join(directory, `127.0.0.1-${one.port}.web.4711.20261122T231500Z.heapsnapshot`));
      expect((await readFile(file!.path!)).equals(snapshot)).toBe(true);
      expect((await stat(file!.path!)).mode & 0o777).toBe(0o600);
      expect(await readdir(directory)).toHaveLength(1);
      expect(one.jobs.size).toBe(0);
    },
  );

  it('goes on where cut connections left it, and says so', async () => {
    const one = await agent({ bytes: snapshot, cutAfter: [100_000, 50_000, 0], cutProgress: 2, encoding: 'identity' });
    const { io, stderr } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.value!.files[0]).toMatchObject({ sha256: sha256(snapshot) });
    const ranges = one.requests.filter((line) => line.includes('/artifact')).map((line) => line.split(' ')[2]);
    expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=150000-', 'bytes=150000-']);
    expect(stderr()).toContain('trying again for up to 20.00s');
    expect(stderr()).toContain('is back after');
  });

  it('goes on after a compressed stream was cut', async () => {
    const one = await agent({ bytes: snapshot, cutAfter: [200_000] });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.value!.files[0]).toMatchObject({ sha256: sha256(snapshot) });
    const resumed = one.requests.filter((line) => /artifact.* bytes=[1-9]/.test(line));
    expect(resumed).toHaveLength(1);
  });

  it('goes on after a connection that stands still', async () => {
    const one = await agent({ bytes: snapshot, stallAfter: [100_000] });
    const { io, stderr } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.value!.files[0]).toMatchObject({ sha256: sha256(snapshot) });
    expect(stderr()).toContain('nothing came from');
  });

  it('survives a way that is down for a while', async () => {
    const one = await agent({ bytes: snapshot, runMs: 600 });
    const { io, stderr } = testIo();
    const captured = captureAll([one.target], await request('heapsnapshot'), io);
    await watched(one);
    await one.down();
    await sleep(700);
    await one.listen();
    const { outcomes } = await captured;
    expect(outcomes[0]!.value!.files[0]).toMatchObject({ sha256: sha256(snapshot) });
    expect(stderr()).toContain('is back after');
  });

  it('ends when the way does not come back, and leaves no file', async () => {
    const one = await agent({ bytes: snapshot, runMs: 60_000 });
    const { io } = testIo();
    const limits = { ...quickLimits, reconnectMs: 300, refusedMs: 300 };
    const captured = captureAll([one.target], await request('heapsnapshot', { limits }), io);
    await watched(one);
    await one.down();
    const { outcomes } = await captured;
    expect(outcomes[0]!.error!.message).toContain('did not come back within 300ms');
    expect(await readdir(directory)).toEqual([]);
  });

  it('that the agent no longer knows is said to be lost', async () => {
    const one = await agent({ bytes: snapshot, runMs: 60_000 });
    const { io } = testIo();
    const captured = captureAll([one.target], await request('heapsnapshot'), io);
    await watched(one);
    one.jobs.clear();
    await one.down();
    await one.listen();
    const { outcomes } = await captured;
    expect(outcomes[0]!.error).toMatchObject({ code: 'no-such-job' });
    expect(outcomes[0]!.error!.message).toContain('no longer has the heapsnapshot');
    expect(await readdir(directory)).toEqual([]);
  });

  it('streams bytes that the agent cannot keep', async () => {
    const one = await agent({ bytes: snapshot, resumable: false, runMs: 200 });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.value!.files[0]).toMatchObject({ sha256: sha256(snapshot) });
  });

  it('says so when bytes that flow once were cut', async () => {
    const one = await agent({ bytes: snapshot, resumable: false, encoding: 'identity', cutAfter: [100_000] });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.error).toMatchObject({ code: 'unsupported' });
    expect(await readdir(directory)).toEqual([]);
    expect(one.jobs.size).toBe(0);
  });

  it('that does not match its sha256 is not saved', async () => {
    const one = await agent({ bytes: snapshot, sha256: 'f'.repeat(64) });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.error!.message).toContain('arrived damaged');
    expect(await readdir(directory)).toEqual([]);
  });

  it('that is larger than --max-size is refused before it is fetched', async () => {
    const one = await agent({ bytes: snapshot });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot', { maxBytes: 1000 }), io);
    expect(outcomes[0]!.error).toMatchObject({ code: 'too-large', hint: expect.stringContaining('--max-size') });
    expect(one.requests.filter((line) => line.includes('/artifact'))).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
    expect(one.jobs.size).toBe(0);
  });

  it('hands on the refusal of the agent', async () => {
    const refuse = { status: 409, code: 'busy', message: 'another capture runs', hint: 'wait for it' };
    const one = await agent({ bytes: snapshot, refuse });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    expect(outcomes[0]!.error).toMatchObject({ code: 'busy', message: 'another capture runs', hint: 'wait for it' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('does not take names or words from an agent as they are', async () => {
    const one = await agent({ bytes: snapshot, container: '../../etc/\u001b[2Jpasswd', notes: ['a\u001b[2Jb'] });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('heapsnapshot'), io);
    const { files, notes } = outcomes[0]!.value!;
    expect(files[0]!.path).toBe(
      join(directory, `127.0.0.1-${one.port}.etc-2Jpasswd.4711.20261122T231500Z.heapsnapshot`),
    );
    expect(notes).toEqual(['a [2Jb']);
  });
});

describe('Ctrl-C', () => {
  it('once ends a profile early and keeps it', async () => {
    const bytes = await cpuProfile();
    const one = await agent({ bytes, runMs: 60_000 });
    const { io, interrupt, stderr } = testIo();
    const captured = captureAll([one.target], await request('pprof-cpu'), io);
    await watched(one);
    interrupt.abort();
    const { outcomes } = await captured;
    expect(outcomes[0]!.value!.job.stoppedEarly).toBe(true);
    expect((await readFile(outcomes[0]!.value!.files[0]!.path!)).equals(bytes)).toBe(true);
    expect(stderr()).toContain('stopping early, keeping what there is; Ctrl-C again to abandon it');
  });

  it('twice abandons it and leaves nothing running', async () => {
    const one = await agent({ bytes: await cpuProfile(), runMs: 60_000 });
    one.options = { ...one.options, stallAfter: Array(100).fill(10) };
    const { io, interrupt, abandon } = testIo();
    const captured = captureAll([one.target], await request('pprof-cpu'), io);
    await watched(one);
    interrupt.abort();
    await expect.poll(() => one.requests.some((line) => line.includes('/artifact')), patiently).toBe(true);
    abandon.abort();
    const { outcomes } = await captured;
    expect(outcomes[0]!.error).toMatchObject({ code: 'interrupted', exitCode: 130 });
    expect(outcomes[0]!.error!.message).toContain('nothing is left of it');
    expect(one.jobs.size).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it('once abandons what cannot be ended early', async () => {
    const one = await agent({ bytes: snapshot, runMs: 60_000 });
    const { io, interrupt } = testIo();
    const captured = captureAll([one.target], await request('heapsnapshot'), io);
    await watched(one);
    interrupt.abort();
    const { outcomes } = await captured;
    expect(outcomes[0]!.error).toMatchObject({ code: 'interrupted' });
    expect(one.jobs.size).toBe(0);
    expect(await readdir(directory)).toEqual([]);
  });

  it('while the capture is being started waits for its name and removes it', async () => {
    const one = await agent({ bytes: snapshot, runMs: 60_000, startDelayMs: 500 });
    const { io, interrupt } = testIo();
    const captured = captureAll([one.target], await request('heapsnapshot'), io);
    await expect.poll(() => one.running(), patiently).toHaveLength(1);
    interrupt.abort();
    const { outcomes } = await captured;
    expect(outcomes[0]!.error).toMatchObject({ code: 'interrupted' });
    expect(one.jobs.size).toBe(0);
  });

  it('says what remains when the agent cannot be told', async () => {
    const one = await agent({ bytes: snapshot, runMs: 60_000 });
    const { io, interrupt } = testIo();
    const captured = captureAll([one.target], await request('heapsnapshot'), io);
    await watched(one);
    await one.down();
    interrupt.abort();
    const { outcomes } = await captured;
    expect(outcomes[0]!.error!.message).toContain('stops it by itself within 1m00s');
  });
});

describe('a profile', () => {
  it('is saved as pprof with labels of where it comes from', async () => {
    const one = await agent({ bytes: await cpuProfile() });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('pprof-cpu', { format: 'pprof' }), io);
    const [file] = outcomes[0]!.value!.files;
    expect(file!.path).toMatch(/\.cpu\.pb\.gz$/);
    const bytes = await readFile(file!.path!);
    expect(file).toMatchObject({ bytes: bytes.length, sha256: sha256(bytes) });
    const profile = readProfile(bytes);
    expect(profile.functions.map(({ name }) => name)).toContain('burnCpu');
    const labels = Object.fromEntries(profile.labelSets[1]!.map((label) => [label.key, 'text' in label && label.text]));
    expect(labels).toEqual({
      address: `127.0.0.1:${one.port}`,
      container: 'web',
      pid: '4711',
      node_version: process.version,
      thread: 'main',
    });
  });

  it('of the heap is saved as pprof', async () => {
    const one = await agent({ bytes: await heapProfile() });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('pprof-heap', { format: 'pprof' }), io);
    const profile = readProfile(await readFile(outcomes[0]!.value!.files[0]!.path!));
    expect(profile.sampleTypes.map(({ type }) => type)).toEqual(['inuse_objects', 'inuse_space']);
    expect(profile.functions.map(({ name }) => name)).toContain('keepAlive');
  });

  it('of all threads is one pprof file, or one file of each in the format of V8', async () => {
    const profile = JSON.parse((await cpuProfile()).toString());
    const threads = [
      { thread: 'main', profile },
      { thread: 'worker 3', profile },
    ];
    const one = await agent({ bytes: Buffer.from(JSON.stringify({ threads })) });
    const { io } = testIo();
    const merged = await captureAll([one.target], await request('pprof-cpu', { format: 'pprof' }), io);
    const both = readProfile(await readFile(merged.outcomes[0]!.value!.files[0]!.path!));
    const names = both.labelSets.flatMap((set) => set.filter(({ key }) => key === 'thread'));
    expect(names.map((label) => 'text' in label && label.text).sort()).toEqual(['main', 'worker 3']);
    const apart = await captureAll([one.target], await request('pprof-cpu'), io);
    const paths = apart.outcomes[0]!.value!.files.map(({ path }) => path!.replace(/^.*Z\./, ''));
    expect(paths).toEqual(['main.cpuprofile', 'worker-3.cpuprofile']);
  });

  it('that cannot be converted is saved as it came', async () => {
    const one = await agent({ bytes: Buffer.from('{"nodes":[]}') });
    const { io } = testIo();
    const { outcomes } = await captureAll([one.target], await request('pprof-cpu', { format: 'pprof' }), io);
    const { files, notes } = outcomes[0]!.value!;
    expect(files[0]!.path).toMatch(/\.cpuprofile$/);
    expect(await readFile(files[0]!.path!, 'utf8')).toBe('{"nodes":[]}');
    expect(notes).toEqual([
      'saved as it came, since it could not be converted: the CPU profile is damaged: it has no nodes',
    ]);
  });

  it('goes to stdout and nothing else does', async () => {
    const bytes = await cpuProfile();
    const one = await agent({ bytes, cutAfter: [1_000], encoding: 'identity' });
    const { io, stdoutBytes } = testIo();
    const destination = { kind: 'stdout' } as const;
    await captureAll([one.target], await request('pprof-cpu', { destination, format: 'pprof' }), io);
    expect(readProfile(stdoutBytes()).functions.map(({ name }) => name)).toContain('burnCpu');
  });
});

describe('several processes', () => {
  it('give a file each and a merged profile, and one that fails holds nobody up', async () => {
    const bytes = await cpuProfile();
    const all = await Promise.all([1, 2, 3].map((pid) => agent({ bytes, pid })));
    all[1]!.options = { ...all[1]!.options, refuse: { status: 409, code: 'busy', message: 'another capture runs' } };
    const { io } = testIo();
    const { outcomes, merged } = await captureAll(
      all.map(({ target }) => target),
      await request('pprof-cpu', { format: 'pprof' }),
      io,
    );
    expect(outcomes.map(({ error }) => error?.code)).toEqual([undefined, 'busy', undefined]);
    expect(merged).toMatchObject({ count: 2 });
    const profile = readProfile(await readFile(merged!.file.path!));
    const pids = profile.labelSets.flatMap((set) => set.filter(({ key }) => key === 'pid'));
    expect(pids.map((label) => 'text' in label && label.text).sort()).toEqual(['1', '3']);
    expect(await readdir(directory)).toHaveLength(3);
  });
});
