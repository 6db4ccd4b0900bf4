import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { App, blockedApp, busyApp, cleanUp, nativeCode, versions } from '../../agent/captures/harness.ts';

afterAll(cleanUp);

interface CpuProfile {
  nodes: { hitCount: number; callFrame: { functionName: string } }[];
  samples: number[];
  timeDeltas: number[];
}
const hits = (profile: CpuProfile, name: string): number =>
  profile.nodes.reduce((sum, node) => sum + (node.callFrame.functionName === name ? node.hitCount : 0), 0);
const namesIn = (node: { callFrame: { functionName: string }; children: never[] }): string[] => [
  node.callFrame.functionName,
  ...node.children.flatMap(namesIn),
];

/** A CPU profile in which each thread was seen at work; on a machine that stands still the first may show nothing. */
async function profileOf<T>(app: App, query: string, look: (text: string) => T) {
  return vi.waitFor(
    async () => {
      const { info, text } = await app.take('pprof-cpu', query);
      return { info, text, seen: look(text) };
    },
    { timeout: 45_000, interval: 10 },
  );
}
const patiently = { timeout: 40_000 };

describe.each(versions)('captures of a busy process on %s', (version) => {
  let app: App;
  beforeAll(async () => {
    const withWorker = `${busyApp}
      const { Worker } = require('worker_threads');
      new Worker('function burnInWorker() { let x = 0; for (;;) x += Math.sqrt(x + 1); } setTimeout(burnInWorker, 50);', { eval: true, name: 'cruncher' });`;
    app = await App.start(version, withWorker, {
      args: ['--token=hunter2'],
      env: { API_KEY: 'hunter3', DATABASE_URL: 'postgres://me:hunter4@db/x', PLAIN: 'visible' },
    });
  });

  afterAll(() => app?.stop());

  it('yields a CPU profile that names the busy function', async () => {
    const {
      info,
      text,
      seen: profile,
    } = await profileOf(app, 'duration=800', (text) => {
      const profile = JSON.parse(text) as CpuProfile;
      expect(hits(profile, 'burnCycles')).toBeGreaterThan(1);
      return profile;
    });
    expect(profile.samples.length).toBe(profile.timeDeltas.length);
    expect(info).toMatchObject({ state: 'finished', stoppedEarly: false, progress: 1, remainingMs: 0 });
    expect(info.bytes).toBe(Buffer.byteLength(text));
  });

  it('profiles each thread but its own, also one that blocks', async () => {
    const { seen: threads } = await profileOf(app, 'duration=800&thread=all', (text) => {
      const { threads } = JSON.parse(text) as { threads: { thread: string; name: string; profile: CpuProfile }[] };
      expect(hits(threads[1]!.profile, 'burnInWorker')).toBeGreaterThan(1);
      return threads;
    });
    expect(threads.map(({ thread, name }) => [thread.replace(/\d+/, 'N'), name])).toEqual([
      ['main', null],
      ['worker N', 'cruncher'],
    ]);
    const [, id] = threads[1]!.thread.split(' ');
    await profileOf(app, `duration=500&thread=${id}`, (text) =>
      expect(hits(JSON.parse(text) as CpuProfile, 'burnInWorker')).toBeGreaterThan(1),
    );
  });

  it('names the threads there are when another is asked for', async () => {
    await expect(app.take('pprof-cpu', 'thread=999')).rejects.toMatchObject({
      code: 'bad-request',
      detail: { threads: [expect.any(String)] },
    });
  });

  it('yields a heap profile that names who allocates', async () => {
    for (const alloc of [false, true])
      await vi.waitFor(async () => {
        const { text } = await app.take('pprof-heap', `duration=800&interval=4096&alloc=${alloc}`);
        expect(namesIn(JSON.parse(text).head)).toContain('allocateKept');
      }, patiently);
  });

  it('yields a heap snapshot that is complete', async () => {
    const { text, info } = await app.take('heapsnapshot', 'force=true');
    const { snapshot, nodes, edges, strings } = JSON.parse(text);
    expect(nodes.length).toBe(snapshot.node_count * snapshot.meta.node_fields.length);
    expect(edges.length).toBe(snapshot.edge_count * snapshot.meta.edge_fields.length);
    expect(strings).toContain('allocateKept');
    expect(info.notes.join()).toMatch(/estimated before: up to \d+ objects/);
  });

  it('yields a trace as one JSON document', async () => {
    const { text } = await app.take('trace', 'duration=1000');
    const { traceEvents } = JSON.parse(text);
    expect(traceEvents.length).toBeGreaterThan(5);
    expect(new Set(traceEvents.map(({ ph }: { ph: string }) => typeof ph))).toEqual(new Set(['string']));
    await expect(app.take('trace', 'categories=node,nosuch')).rejects.toMatchObject({
      code: 'bad-request',
      detail: { unknown: ['nosuch'] },
    });
  });

  it('yields a report without secrets', async () => {
    // the worker that blocks in JavaScript answers all the same
    const { text } = await app.take('report');
    const report = JSON.parse(text);
    expect(report.header.processId).toBe(app.child.pid);
    expect(report.javascriptStack).toBeDefined();
    expect(report.environmentVariables).toMatchObject({
      PLAIN: 'visible',
      API_KEY: '<masked>',
      DATABASE_URL: 'postgres://me:<masked>@db/x',
    });
    expect(text).not.toMatch(/hunter\d/);
  });

  it('leaves the app as it was, silent', () => {
    expect(app.child.exitCode).toBe(null);
    expect(app.stderr).toBe('');
  });
});

describe.each(versions)('captures of a blocked process on %s', (version) => {
  it('name the function that blocks', async () => {
    const app = await App.start(version, blockedApp);
    await app.printed(/^blocked$/m);
    await profileOf(app, 'duration=1500', (text) => {
      const profile = JSON.parse(text) as CpuProfile;
      expect(hits(profile, 'blockingLoop')).toBeGreaterThan(profile.samples.length / 2);
    });
    expect(JSON.parse((await app.take('trace', 'duration=300')).text).traceEvents.length).toBeGreaterThan(0);
    expect((await app.take('report')).text).toContain('blockingLoop');
    await app.stop();
  });

  it('wait for native code to end, and say so', async () => {
    const native = nativeCode();
    const app = await App.start(
      version,
      `setTimeout(() => { require('fs').writeSync(1, 'native\\n'); ${native.script}; }, 100); setInterval(() => {}, 1000);`,
    );
    await app.printed(/^native$/m);
    const report = await app.take('report');
    expect(report.info.notes.join()).toMatch(/what the kernel shows/);
    expect(JSON.parse(report.text).nodeops.stuck.summary).toMatch(/main thread/);
    const { id } = await app.capture('pprof-cpu', 'duration=300');
    await app.until(id, ({ phase }) => /waiting for the main thread/.test(phase));
    native.end();
    expect(await app.ended(id)).toMatchObject({ state: 'finished' });
    await app.stop();
  });
});

describe('what is refused', () => {
  it('is a heap profile while the app takes one itself, which goes on', async () => {
    const app = await App.start(
      'node22',
      `const { Session } = require('inspector'); const session = new Session(); session.connect();
       session.post('HeapProfiler.startSampling', () => console.log('sampling')); setInterval(() => session.post('HeapProfiler.getSamplingProfile', (e) => e && console.error(e)), 100);`,
    );
    await app.printed(/^sampling$/m);
    await expect(app.take('pprof-heap', 'duration=200')).rejects.toMatchObject({ code: 'busy' });
    // as long as it takes to complain
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(app.stderr).toBe('');
  });

  it('is a snapshot that the liveness probe would not survive, unless forced', async () => {
    const app = await App.start(
      'node',
      `globalThis.kept = Array.from({ length: 2e5 }, (_, i) => ({ i })); setInterval(() => {}, 1000);`,
    );
    await expect(app.take('heapsnapshot', 'probe-budget=10')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/stand still for [\d.]+ s.*probe allows 0\.0 s/),
      hint: expect.stringContaining('pprof-heap'),
      detail: expect.objectContaining({ objects: expect.any(Number), memoryBytes: expect.any(Number) }),
    });
    const { info } = await app.take('heapsnapshot', 'probe-budget=10&force=true');
    expect(info.notes.join()).toMatch(/taken by force/);
  });

  it('is a report while a worker thread is in native code, for it would stop the main thread too', async () => {
    const native = nativeCode();
    const app = await App.start(
      'node22',
      `new (require('worker_threads').Worker)(${JSON.stringify(native.script)}, { eval: true }); setInterval(() => {}, 1000);`,
    );
    const error = () =>
      app.take('report').then(
        () => undefined,
        (error) => error,
      );
    // until it is in native code there is nothing to refuse
    await expect.poll(error, patiently).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('worker thread'),
    });
    native.end();
    await app.stop();
  });
});
