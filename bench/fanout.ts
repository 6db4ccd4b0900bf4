/** `stats` of one pod and of a hundred on the embedded cluster: how much longer the answer takes, and what the plugin needs for it. */
import { openBed } from '../test/e2e/bed.ts';
import { container, healthy, pod } from '../test/e2e/pods.ts';
import { type Cost, interleave, median, table } from './measure.ts';

const pods = Number(process.env.NODEOPS_BENCH_PODS ?? 100);
const seconds = (cost: Cost) => (median(cost.wall) / 1000).toFixed(3);
const memory = (cost: Cost) => (cost.peak.length ? `${(median(cost.peak) / 1024).toFixed(0)} MiB` : '-');

export async function benchFanout(runs: number): Promise<string> {
  const plugin = 'dist/kubectl-nodeops';
  const bed = await openBed();
  try {
    const names = Array.from({ length: pods }, (_, i) => `many-${i}`);
    for (let i = 0; i < pods; i += 10)
      await bed.create(
        ...names.slice(i, i + 10).map((name) => pod(name, [container(bed, { script: healthy })], {}, { many: 'yes' })),
      );
    await bed.ready(...names);
    const env = { KUBECONFIG: bed.kubeconfig };
    const nodeops = (...args: string[]) => [plugin, '-n', bed.namespace, ...args];
    for (let tries = 0; (await bed.nodeops(['version', '-l', 'many=yes'])).code !== 0; tries++)
      if (tries > 60) throw new Error('the agents do not answer');
    const rows: string[][] = [];
    for (const [what, ...args] of [['--window 0s', '--window', '0s'], ['as it is typed']] as const) {
      const costs = await interleave(
        [
          { name: 'one pod', argv: nodeops('stats', 'many-0', ...args), env },
          { name: 'one, by label', argv: nodeops('stats', '-l', 'app=many-0', ...args), env },
          { name: `${pods} pods`, argv: nodeops('stats', '-l', 'many=yes', ...args), env },
        ],
        runs,
      );
      const [one, labelled, all] = costs as [Cost, Cost, Cost];
      rows.push([
        what,
        `${seconds(one)} s`,
        `${seconds(labelled)} s`,
        `${seconds(all)} s`,
        (median(all.wall) / median(one.wall)).toFixed(1),
        memory(all),
        String(costs.reduce((sum, { failures }) => sum + failures, 0)),
      ]);
    }
    return table(
      ['`stats`', 'one pod', 'one, by label', `${pods} pods`, 'ratio (goal ≤ 10)', 'peak memory', 'failures'],
      rows,
    );
  } finally {
    await bed.close();
  }
}
