/** The plugin against what one would type instead, on the embedded cluster. */
import { existsSync } from 'node:fs';
import { kubectlPath } from '../test/binaries/kubectl.ts';
import { openBed } from '../test/e2e/bed.ts';
import { container, healthy, pod } from '../test/e2e/pods.ts';
import { type Candidate, type Cost, interleave, median, table } from './measure.ts';

const seconds = (cost: Cost) => `${(median(cost.wall) / 1000).toFixed(3)} s`;
const memory = (cost: Cost) => (cost.peak.length ? `${(median(cost.peak) / 1024).toFixed(0)} MiB` : '-');

export async function benchPlugin(runs: number): Promise<string> {
  const kubectl = await kubectlPath();
  const plugin = 'dist/kubectl-nodeops';
  const bed = await openBed();
  try {
    await bed.create(pod('x', [container(bed, { script: healthy })]));
    await bed.ready('x');
    const env = { KUBECONFIG: bed.kubeconfig };
    const namespace = ['-n', bed.namespace];
    const candidates: Candidate[] = [
      { name: 'kubectl version --client', argv: [kubectl, 'version', '--client'] },
      { name: 'kubectl-nodeops --help', argv: [plugin, '--help'] },
      { name: 'kubectl get pod x', argv: [kubectl, ...namespace, 'get', 'pod', 'x'], env },
      { name: 'kubectl exec x -- true', argv: [kubectl, ...namespace, 'exec', 'x', '--', 'true'], env },
      {
        name: 'kubectl-nodeops stats pod/x --window 0',
        argv: [plugin, ...namespace, 'stats', 'pod/x', '--window', '0s'],
        env,
      },
      { name: 'kubectl-nodeops stats pod/x', argv: [plugin, ...namespace, 'stats', 'pod/x'], env },
    ];
    const costs = await interleave(
      candidates.filter(({ argv }) => existsSync(argv[0]!)),
      runs,
    );
    const of = (name: string) => costs.find((cost) => cost.name === name)!;
    const ratio = (a: string, b: string) => (median(of(a).wall) / median(of(b).wall)).toFixed(2);
    return [
      table(
        ['command', 'wall (median)', 'peak memory', 'failures'],
        costs.map((cost) => [`\`${cost.name}\``, seconds(cost), memory(cost), String(cost.failures)]),
      ),
      table(
        ['ratio of wall time', 'measured', 'goal'],
        [
          ['help / `kubectl version --client`', ratio('kubectl-nodeops --help', 'kubectl version --client'), '≤ 0.7'],
          [
            '`stats pod/x --window 0` / `kubectl exec true`',
            ratio('kubectl-nodeops stats pod/x --window 0', 'kubectl exec x -- true'),
            '≤ 1.0',
          ],
          ['`stats pod/x` / `kubectl exec true`', ratio('kubectl-nodeops stats pod/x', 'kubectl exec x -- true'), '-'],
        ],
      ),
    ].join('\n');
  } finally {
    await bed.close();
  }
}
