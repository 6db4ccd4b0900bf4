/** Why a pod or a container is left alone. Sentences are shown in `nodeops.dev/skipped`, warnings and `doctor`. */
import { containers, mountPaths, preloadFile, volumes } from './paths.ts';
import type { Container, EnvVar, Pod } from './pod.ts';

/** Why nothing can be done to the whole pod, or undefined. `port` is the agents' port in it. */
export function podReason({ spec }: Pod, port: string): string | undefined {
  if (spec.hostNetwork) return 'pod: host network, where the port would be open to every process of the node';
  if (spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows')
    return 'pod: Windows, where the agent does not run';
  const all = [...(spec.initContainers ?? []), ...spec.containers];
  // the agent would listen first, and the app could not
  if (all.some(({ ports }) => (ports ?? []).some((one) => isTcp(one) && String(one.containerPort) === port)))
    return `pod: port ${port} is the app's own, set nodeops.dev/port to another`;
  // the files would never be there, and Node does not start without a file that it is told to require
  const agent = (spec.volumes ?? []).find(({ name }) => name === volumes.agent);
  if (agent && !agent.image && !agent.emptyDir) return `pod: the volume ${volumes.agent} is the app's own`;
  const ours: readonly string[] = Object.values(containers);
  const taken = spec.containers.find(({ name }) => ours.includes(name));
  if (taken) return `pod: the container ${taken.name} is the app's own`;
  return undefined;
}

function isTcp({ protocol = 'TCP' }: { readonly protocol?: string }): boolean {
  return protocol === 'TCP';
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
