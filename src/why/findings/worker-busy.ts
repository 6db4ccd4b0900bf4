import { dominantOf } from '../evidence/dominant.ts';
import { type Evidence, mean } from '../evidence/evidence.ts';
import { callerOf, placeOf } from '../evidence/frames.ts';
import { finding, type Rule } from '../finding.ts';

const busyShare = 0.9;
const leastSamples = 8;

export const workerBusy: Rule = {
  id: 'worker-busy',
  passed: 'no worker thread spins',
  needs: ['stack'],
  thresholds: `a worker is found running in ≥ ${busyShare * 100} % of ≥ ${leastSamples} samples of its stack, and workers use, or wait for, ≥ 60 % of a core`,
  find(e) {
    const { stacks } = e.case;
    const workers = new Map<
      string,
      { name: string | null; seen: number; running: (typeof stacks)[number]['threads'][number][] }
    >();
    for (const { threads } of stacks)
      for (const thread of threads) {
        if (thread.thread === 'main') continue;
        const worker = workers.get(thread.thread) ?? { name: thread.name, seen: 0, running: [] };
        worker.seen++;
        if (thread.state !== 'idle' && thread.state !== 'waiting') worker.running.push(thread);
        workers.set(thread.thread, worker);
      }
    const spinning = [...workers].filter(
      ([, { seen, running }]) => seen >= leastSamples && running.length >= seen * busyShare,
    );
    // what only waits (Atomics.wait) uses no CPU
    const wanted = wantedPercent(e);
    if (spinning.length === 0 || wanted < 60) return null;
    const [id, { name, running }] = spinning[0]!;
    const stacksOf = running.filter(({ frames }) => frames.length > 0).map(({ frames }) => ({ weight: 1, frames }));
    const dominant = dominantOf(stacksOf, 0.6);
    const frame = dominant?.frame ?? (stacksOf[0] ? callerOf(stacksOf[0].frames) : null);
    const others = spinning.length > 1 ? ` (and ${spinning.length - 1} more)` : '';
    return finding('worker-busy', {
      level: 'finding',
      weight: 0.6,
      sentence: `a worker thread never rests: ${id}${name ? ` '${name}'` : ''}${others} runs ${frame ? placeOf(frame) : 'without a pause'}; it wants ${Math.round(wanted)}% of a core`,
      place: frame ? placeOf(frame) : id,
      frames: dominant?.frames ?? [],
      certainty: 'likely',
      against: ['a worker that computes for long is what workers are for'],
      next: `pprof-cpu TARGET --duration 10s --thread ${id.replace('worker ', '')}`,
      remedy: 'Wait with Atomics.wait or a message instead of polling; bound what one job may take.',
      figures: { thread: id, wantedPercent: Math.round(wanted) },
    });
  },
};

/** CPU of the busiest worker, and the CPU it waited for; of the whole process where threads are not told apart. */
function wantedPercent({ case: { moments }, cpuPercent }: Evidence): number {
  const busiest = moments.map(({ stats }) => {
    const workers = stats.threadUse?.filter(({ kind }) => kind === 'worker');
    if (!workers || workers.length === 0) return null;
    return Math.max(...workers.map(({ percent, waitingPercent }) => (percent ?? 0) + (waitingPercent ?? 0)));
  });
  return mean(busiest) ?? cpuPercent ?? 0;
}
