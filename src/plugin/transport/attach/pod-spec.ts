/** The parts of a pod that attaching depends on. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from '../kube/api.ts';
import { getPod, noSuchContainer, notRunning, type Pod, type PodRef } from '../kube/pods.ts';

export interface SecurityContext {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  readonly seccompProfile?: { readonly type: string; readonly localhostProfile?: string };
  readonly readOnlyRootFilesystem?: boolean;
}
export interface ContainerSpec {
  readonly name: string;
  readonly command?: readonly string[];
  readonly securityContext?: SecurityContext;
  readonly resources?: { readonly limits?: { readonly memory?: string } };
}
export interface EphemeralSpec {
  readonly name: string;
  readonly image: string;
  readonly targetContainerName?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext?: SecurityContext;
}
export interface ContainerStatus {
  readonly name: string;
  readonly user?: { readonly linux?: { readonly uid?: number; readonly gid?: number } };
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly reason?: string; readonly message?: string; readonly exitCode?: number };
  };
}
export interface AttachPod {
  readonly metadata: Pod['metadata'] & { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly ContainerSpec[];
    readonly initContainers?: readonly (ContainerSpec & { readonly restartPolicy?: string })[];
    readonly ephemeralContainers?: readonly EphemeralSpec[];
    readonly securityContext?: SecurityContext;
    readonly shareProcessNamespace?: boolean;
    readonly hostPID?: boolean;
  };
  readonly status?: {
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

/** The pod, as it is now. Throws `no-such-pod`, `pod-not-running`, `no-such-container`, `forbidden`, … */
export async function readPod(
  api: KubeApi,
  ref: PodRef,
  container: string | undefined,
  signal: AbortSignal,
): Promise<AttachPod> {
  const { pod } = await getPod(api, ref, signal);
  const problem = notRunning(api, ref, pod) ?? noSuchContainer(ref, pod, container);
  if (problem) throw problem;
  return pod as unknown as AttachPod;
}

/**
 * The container that was named, that kubectl would take, or the only one.
 * Throws `ambiguous-container` with the choices.
 */
export function chooseContainer(ref: PodRef, pod: AttachPod, named: string | undefined): ContainerSpec {
  const { containers, initContainers = [] } = pod.spec;
  const name = named ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  const chosen = [...containers, ...initContainers].find((one) => one.name === name);
  if (chosen) return chosen;
  const [only, ...others] = containers;
  if (only && others.length === 0) return only;
  const names = containers.map((one) => one.name);
  throw new NodeopsError(
    'ambiguous-container',
    `pod '${ref.name}' in namespace '${ref.namespace}' has several containers`,
    { hint: `-c with one of: ${names.join(', ')}`, detail: { containers: names } },
  );
}
