/** `npm run bench [plugin|agent|recorder|connections|tracking|fanout|why|heap|idle|snapshots] [-- ROUNDS]`: compares, interleaved in one run, and prints medians and ratios. */
import { cpus } from 'node:os';

const [which = 'all', rounds] = process.argv.slice(2);
process.stdout.write(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, Node ${process.version}\n\n`);
if (which === 'all' || which === 'plugin') {
  const { benchPlugin } = await import('./plugin.ts');
  process.stdout.write(`${await benchPlugin(Number(rounds ?? 15))}\n`);
}
if (which === 'all' || which === 'agent') {
  const { benchAgent } = await import('./agent.ts');
  process.stdout.write(`${await benchAgent(Number(rounds ?? 7))}\n`);
}
if (which === 'all' || which === 'recorder') {
  const { benchRecorder } = await import('./recorder.ts');
  process.stdout.write(`${await benchRecorder(Number(rounds ?? 5))}\n`);
}
if (which === 'all' || which === 'connections') {
  const { benchConnections } = await import('./connections.ts');
  process.stdout.write(`${await benchConnections(Number(rounds ?? 1_000_000))}\n`);
}
if (which === 'all' || which === 'tracking') {
  const { benchTracking } = await import('./tracking.ts');
  process.stdout.write(`${await benchTracking(Number(rounds ?? 3))}\n`);
}
if (which === 'all' || which === 'fanout') {
  const { benchFanout } = await import('./fanout.ts');
  process.stdout.write(`${await benchFanout(Number(rounds ?? 5))}\n`);
}
if (which === 'all' || which === 'why') {
  const { benchWhy } = await import('./why.ts');
  process.stdout.write(`${await benchWhy(Number(rounds ?? 3))}\n`);
}
if (which === 'all' || which === 'heap') {
  const { benchHeap } = await import('./heap.ts');
  process.stdout.write(`${await benchHeap(Number(rounds ?? 1))}\n`);
}
if (which === 'all' || which === 'idle') {
  const { benchIdle } = await import('./idle.ts');
  process.stdout.write(`${await benchIdle(Number(rounds ?? 7))}\n`);
}
if (which === 'snapshots') {
  const { benchSnapshots } = await import('./snapshots.ts');
  process.stdout.write(`${await benchSnapshots(Number(rounds ?? 0.1))}\n`);
}
