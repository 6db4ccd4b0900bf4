/**
 * Attaching over a command's stdin and stdout: a loader greets, is given the length (uint32, big endian) and text of a bundle,
 * and the bundle serves agent connections as CONNECT streams of HTTP/2 on the rest of both.
 */
import { containerNames } from './annotations.ts';

/** First argument of the loader: how such a process is known for what it is, by agents and by other payloads. */
export const attachMarker = 'nodeops-attach';
/** Before the greeting, on a line of its own. */
export const greetingStart = `${attachMarker}/1 `;

/** What the loader says of where it runs; null is not known. */
export interface Greeting {
  /** such as `v24.21.0` */
  readonly version: string;
  readonly pid: number;
  readonly uid: number | null;
  /** Of the container's memory cgroup. */
  readonly limitBytes: number | null;
  /** Without what the kernel would drop first. */
  readonly usedBytes: number | null;
}

/** What one connection may send before it is read, each way. */
export const attachWindowBytes = 1024 * 1024;
/** What the injector calls the sidecar's container, and the sidecar itself where nobody named it. As a selector it stands for what all containers have kept. */
export const sidecarContainer = containerNames.sidecar;
/** Variables of the sidecar that only whoever attaches sets. */
export const sidecarVariables = {
  /** Name of the container whose processes it shares the pid namespace with. */
  target: 'NODEOPS_TARGET_CONTAINER',
  /** It ends when nobody has asked for so long. */
  idleExitMs: 'NODEOPS_IDLE_EXIT_MS',
} as const;
