/** The ephemeral container: who it runs as decides what it may see, and what the namespace's policy lets it be. */
import { sidecarVariables } from '../../../protocol/attach.ts';
import type { AttachPod, ContainerSpec, EphemeralSpec, SecurityContext } from './pod-spec.ts';

/** It ends by itself when nobody has asked for so long; it cannot be removed from its pod. */
export const idleExitMs = 15 * 60_000;

export interface EphemeralWish {
  readonly name: string;
  readonly image: string;
  readonly port: number;
}

export function ephemeralContainer(
  { name, image, port }: EphemeralWish,
  container: ContainerSpec,
  pod: AttachPod,
): EphemeralSpec {
  const variables: Record<string, string> = {
    NODEOPS_PORT: String(port),
    [sidecarVariables.idleExitMs]: String(idleExitMs),
  };
  // with one pid namespace for the pod it sees the processes of other containers too
  if (!pod.spec.shareProcessNamespace) variables[sidecarVariables.target] = container.name;
  return {
    name,
    image,
    targetContainerName: container.name,
    args: ['/nodeops/sidecar.cjs'],
    env: Object.entries(variables).map(([key, value]) => ({ name: key, value })),
    securityContext: securityContextFor(container, pod),
  };
}

/**
 * The user of the app, since signals and /proc are open to the same user only, and otherwise what PodSecurity `restricted` asks
 * for. A root app keeps its capabilities: a process with fewer may not look into it.
 */
export function securityContextFor(container: ContainerSpec, pod: AttachPod): SecurityContext {
  const its: SecurityContext = { ...pod.spec.securityContext, ...container.securityContext };
  const running = pod.status?.containerStatuses?.find(({ name }) => name === container.name)?.user?.linux;
  const user = running?.uid ?? its.runAsUser;
  const group = running?.gid ?? its.runAsGroup;
  const root = user === 0;
  return {
    ...(user === undefined ? {} : { runAsUser: user }),
    ...(group === undefined ? {} : { runAsGroup: group }),
    ...(root ? {} : { runAsNonRoot: true }),
    allowPrivilegeEscalation: false,
    capabilities: root ? (container.securityContext?.capabilities ?? {}) : { drop: ['ALL'] },
    seccompProfile: its.seccompProfile ?? { type: 'RuntimeDefault' },
    readOnlyRootFilesystem: true,
  };
}

/** One added before that still runs and does what is wished. */
export function reusable(pod: AttachPod, wished: EphemeralSpec): EphemeralSpec | undefined {
  const variable = (spec: EphemeralSpec, name: string) => spec.env?.find((one) => one.name === name)?.value;
  return pod.spec.ephemeralContainers?.find(
    (one) =>
      one.args?.[0] === wished.args![0] &&
      one.image === wished.image &&
      one.targetContainerName === wished.targetContainerName &&
      variable(one, 'NODEOPS_PORT') === variable(wished, 'NODEOPS_PORT') &&
      one.securityContext?.runAsUser === wished.securityContext?.runAsUser &&
      pod.status?.ephemeralContainerStatuses?.some(({ name, state }) => name === one.name && state?.running),
  );
}
