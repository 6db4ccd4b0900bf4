import type { IsolationName } from './kubelet/isolation.ts';

/** What a test can do to the cluster beyond its API, as messages between the test's process and the cluster's. */
export interface Controls {
  restartApiServer: { downMs: number };
  cutConnections: Record<string, never>;
  killContainer: { namespace: string; pod: string; container: string; signal: NodeJS.Signals };
  freezePod: { namespace: string; pod: string };
  thawPod: { namespace: string; pod: string };
  killPodSilently: { namespace: string; pod: string };
  issueClientCertificate: { user: string; groups: string[]; notAfter: string | undefined };
}

export type ControlName = keyof Controls;

export interface ControlMessage {
  readonly id: number;
  readonly control: ControlName;
  readonly parameters: Controls[ControlName];
}

export interface ControlReply {
  readonly id: number;
  readonly error?: string;
  readonly result?: unknown;
}

/** Sent to the cluster's process first. */
export interface StartMessage {
  readonly directory: string;
  readonly images: Record<string, { directory: string; entrypoint?: readonly string[] }>;
  readonly crashBackoffMs: number;
  readonly idleTimeoutMs: number;
  readonly cgroupName: string;
  readonly isolation: IsolationName;
}

/** Its answer. */
export interface ReadyMessage {
  readonly ready: true;
  readonly server: string;
  readonly kubeconfig: string;
  readonly memoryLimits: boolean;
  readonly cgroups: readonly string[];
}
