import { type Cluster, startCluster } from '../cluster/cluster.ts';

const kubeconfig = 'NODEOPS_E2E_SHARED_KUBECONFIG';

/** vitest's global setup of the e2e project: one embedded cluster for all files, each in a namespace of its own. */
export default async function open(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.NODEOPS_E2E_KUBECONFIG) return undefined;
  const cluster: Cluster = await startCluster();
  process.env[kubeconfig] = cluster.kubeconfig;
  return () => cluster.stop();
}

/** Path of its kubeconfig; undefined outside a run of tests. */
export const sharedKubeconfig = (): string | undefined => process.env[kubeconfig];
