/** Real bytes of the kinds that agents send, taken from this process. */
import { execFile } from 'node:child_process';
import { Session } from 'node:inspector/promises';
import { promisify } from 'node:util';

/** The function that recorded profiles must name. Counts time of a CPU: the clock on the wall goes on while we stand still. */
export function burnCpu(milliseconds: number): number {
  const { user } = process.cpuUsage();
  let sum = 0;
  while (process.cpuUsage().user - user < milliseconds * 1000) for (let i = 0; i < 1e5; i++) sum += Math.sqrt(sum + i);
  return sum;
}

let recorded: Promise<Buffer> | undefined;

/** Taken once: a function that has become hot is inlined, and then no longer in the profile. */
export function cpuProfile(): Promise<Buffer> {
  recorded ??= recordCpu();
  return recorded;
}

async function recordCpu(): Promise<Buffer> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    burnCpu(150);
    const { profile } = await session.post('Profiler.stop');
    return Buffer.from(JSON.stringify(profile));
  } finally {
    session.disconnect();
  }
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
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { maxBuffer: 256 * 1024 * 1024 });
  return Buffer.from(stdout);
}
