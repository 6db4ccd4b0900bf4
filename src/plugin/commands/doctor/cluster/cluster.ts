import type { KubeApi } from '../../../transport/kube/api.ts';
import type { Engines } from '../../enable/engine.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';
import { examineConnection } from './connection.ts';
import { examineEngine } from './engine.ts';
import { examineNamespace, type NamespaceLabels } from './namespace.ts';
import { examineRights } from './rights.ts';
import { examineServer } from './server.ts';

/** What checks of a pod need of those of the cluster. */
export interface ClusterLinks {
  /** A client whose credentials the server accepts. */
  readonly api: Link<KubeApi>;
  readonly namespace: Link<NamespaceLabels>;
  readonly engine: Link<Engines>;
}

/** From kubeconfig to the injector, in the order in which each depends on those before. */
export function examineCluster(exam: Examination, around: Surroundings): ClusterLinks {
  const { credentials } = examineConnection(exam, around);
  const { server, user } = examineServer(exam, credentials, around);
  examineRights(exam, { credentials, server, user });
  const namespace = examineNamespace(exam, credentials, user);
  const engine = examineEngine(exam, credentials, user, around);
  // whoever needs the client needs it accepted: the first of the two that is broken is the reason
  const settled = Promise.all([credentials.settled, user.settled]).then(([client, accepted]) => ({
    ...accepted,
    value: client.value,
  }));
  settled.catch(() => {});
  return { api: { what: user.what, settled }, namespace, engine };
}
