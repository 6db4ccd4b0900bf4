import type { ClusterEntry, UserEntry } from './kubeconfig.ts';

/** One API server and one user of it, completed from flags, kubeconfig and pod environment; all paths absolute. */
export interface Connection {
  readonly server: URL;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  /** For messages: `context 'prod'`, `the pod's service account` or `--server`. */
  readonly source: string;
  readonly namespace: string;
  /** undefined: the default of each request */
  readonly requestTimeoutMs: number | undefined;
  /** `kubectl` with the connection flags that were given, for hints that can be typed as they are. */
  readonly kubectl: string;
  /** The same for somebody else to type: without what says who we are. */
  readonly administrator: string;
  /** `--kuberc`. */
  readonly kuberc: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}
