/** Real bytes of the kinds that agents send. */
import { execFile } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { burnCpu } from './burn-cpu.ts';

const run = promisify(execFile);

let recorded: Promise<Buffer> | undefined;

export function cpuProfile(): Promise<Buffer> {
  recorded ??= run(process.execPath, [join(import.meta.dirname, 'burn-cpu.ts')], { maxBuffer: 256 * 1024 * 1024 }).then(
    ({ stdout }) => Buffer.from(stdout),
  );
  return recorded;
}

export async function heapProfile(): Promise<Buffer> {
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.startSampling', { samplingInterval: 1024 });
    const kept = Array.from({ length: 20_000 }, function keepAlive(_, i) {
      return { name: `object ${i}` };
    });
    const { profile } = await session.post('HeapProfiler.stopSampling');
    if (kept.length === 0) throw new Error('nothing was kept');
    return Buffer.from(JSON.stringify(profile));
  } finally {
    session.disconnect();
  }
}

/** A trace of V8's CPU profiler, as `NodeTracing` gives it. */
export async function nodeTrace(): Promise<Buffer> {
  const script = `
    const { Session } = require('node:inspector');
    const session = new Session();
    session.connect();
    const events = [];
    session.on('NodeTracing.dataCollected', ({ params }) => events.push(...params.value));
    session.on('NodeTracing.tracingComplete', () => console.log(JSON.stringify({ traceEvents: events })));
    const includedCategories = ['v8', 'node', 'v8.cpu_profiler', 'disabled-by-default-v8.cpu_profiler'];
    session.post('NodeTracing.start', { traceConfig: { includedCategories } }, () => {
      session.post('Profiler.enable');
      session.post('Profiler.start', () => {
        (${burnCpu})(200);
        session.post('Profiler.stop', () => session.post('NodeTracing.stop'));
      });
    });`;
  const { stdout } = await run(process.execPath, ['-e', script], { maxBuffer: 256 * 1024 * 1024 });
  return Buffer.from(stdout);
}
