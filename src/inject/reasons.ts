/** Why a pod or a container is left alone. Sentences are shown in `nodeops.dev/skipped`, warnings and `doctor`. */
import { mountPaths, preloadFile, volumes } from './paths.ts';
import type { Container, EnvVar, Pod } from './pod.ts';

/** Why nothing can be done to the whole pod, or undefined. */
export function podReason({ spec }: Pod): string | undefined {
  if (spec.hostNetwork) return 'pod: host network, where the port would be open to every process of the node';
  if (spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows')
    return 'pod: Windows, where the agent does not run';
  return undefined;
}

/** Why the sidecar cannot see the processes of the pod, or undefined. */
export function sidecarReason({ spec }: Pod): string | undefined {
  if (spec.hostPID) return 'sidecar: host pid namespace, where it would see every process of the node';
  if (spec.shareProcessNamespace === false) return 'sidecar: the pod sets shareProcessNamespace to false';
  return undefined;
}

/** Why a container is left alone, or undefined. */
export function containerReason(container: Container): string | undefined {
  const taken = (container.volumeMounts ?? []).find((mount) => isOurPath(mount.mountPath) && !isOurVolume(mount.name));
  if (taken) return `${container.name}: mount path ${taken.mountPath} is in use`;
  const options = nodeOptions(container);
  if (!options) {
    // what envFrom brings cannot be seen here, and an `env` entry would hide a NODE_OPTIONS among it
    if ((container.envFrom ?? []).length > 0)
      return `${container.name}: envFrom may set NODE_OPTIONS, set it in env (an empty value will do)`;
    return undefined;
  }
  if (options.valueFrom) return `${container.name}: NODE_OPTIONS comes from valueFrom and cannot be appended to`;
  const value = options.value ?? '';
  if (value.includes('nodeops') && !value.includes(preloadFile))
    return `${container.name}: NODE_OPTIONS already loads nodeops`;
  return undefined;
}

/** The entry that counts: of several with one name, Kubernetes takes the last. */
export function nodeOptions(container: Container): EnvVar | undefined {
  return container.env?.findLast(({ name }) => name === 'NODE_OPTIONS');
}

function isOurPath(path: string): boolean {
  return Object.values(mountPaths).some((ours) => path === ours || path.startsWith(`${ours}/`));
}

function isOurVolume(name: string): boolean {
  return (Object.values(volumes) as string[]).includes(name);
}
