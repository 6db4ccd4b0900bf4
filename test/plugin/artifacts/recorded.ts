/** Real bytes of the kinds that agents send, taken from this process. */
import { Session } from 'node:inspector/promises';

/** The function that recorded profiles must name. */
export function burnCpu(milliseconds: number): number {
  const end = performance.now() + milliseconds;
  let sum = 0;
  while (performance.now() < end) sum += Math.sqrt(sum + 1);
  return sum;
}

export async function cpuProfile(): Promise<Buffer> {
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
