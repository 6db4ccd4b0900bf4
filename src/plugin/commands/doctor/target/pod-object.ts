/** The parts of a Pod that the doctor reads, and what they say of its containers. */

import type { Pod } from '../../../transport/kube/pods.ts';
import type { Owned } from '../../enable/owner.ts';

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}
export interface ContainerSpec {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly envFrom?: readonly object[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
}
export interface PodObject {
  readonly metadata: Pod['metadata'] & Owned['metadata'] & { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly ContainerSpec[];
    readonly initContainers?: readonly (ContainerSpec & { readonly restartPolicy?: string })[];
    readonly volumes?: readonly { readonly name: string; readonly image?: object }[];
    readonly hostNetwork?: boolean;
  };
  readonly status?: Omit<NonNullable<Pod['status']>, 'containerStatuses'> & {
    readonly containerStatuses?: readonly ContainerState[];
  };
}
export interface ContainerState {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly running?: object;
    readonly waiting?: { readonly reason?: string; readonly message?: string };
  };
  readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
}

/** The value that counts: of several with one name, Kubernetes takes the last. */
export function variable({ env = [] }: ContainerSpec, name: string): EnvVar | undefined {
  return env.findLast((each) => each.name === name);
}

/** Flags of Node that the pod's spec shows: of the command line, and of a literal NODE_OPTIONS. */
export function nodeFlags(container: ContainerSpec): string[] {
  const line = [...(container.command ?? []), ...(container.args ?? [])];
  const options = (variable(container, 'NODE_OPTIONS')?.value ?? '').split(/\s+/);
  return [...line, ...options].filter((word) => word.startsWith('--'));
}

/** Containers that an app runs in: native sidecars among them. */
export function appContainers({ spec }: PodObject): ContainerSpec[] {
  return [...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'), ...spec.containers];
}
