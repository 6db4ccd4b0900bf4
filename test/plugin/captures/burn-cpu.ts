/** Run by Node itself, not by the test runner, which moves lines: prints the CPU profile of a function that is known. */
import { Session } from 'node:inspector/promises';
import { pathToFileURL } from 'node:url';

/** The function that recorded profiles must name. Counts time of a CPU: the clock on the wall goes on while we stand still. */
export function burnCpu(milliseconds: number): number {
  const { user } = process.cpuUsage();
  let sum = 0;
  while (process.cpuUsage().user - user < milliseconds * 1000) for (let i = 0; i < 1e5; i++) sum += Math.sqrt(sum + i);
  return sum;
}

if (import.meta.url === pathToFileURL(process.argv[1]!).href) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  burnCpu(150);
  const { profile } = await session.post('Profiler.stop');
  process.stdout.write(JSON.stringify(profile));
}
