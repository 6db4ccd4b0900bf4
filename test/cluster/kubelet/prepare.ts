/** From a container of a pod's spec to what `Container.start` takes: image, user, environment, root directory, mounts, limits. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, KubeObject } from '../api/types.ts';
import type { ContainerSpec } from './container.ts';
import { argvOf, environmentOf, findInTree, userOf } from './environment.ts';
import type { Kubelet } from './kubelet.ts';
import type { Slot } from './podstatus.ts';
import { parseQuantity } from './quantity.ts';
import { makeRoot } from './root.ts';
import { type makeVolumes, NotReady, type VolumeSources, volumeMounts } from './volumes.ts';

export interface Preparation {
  readonly pod: KubeObject;
  readonly kubelet: Kubelet;
  /** Of the pod, on the cluster's own file system. */
  readonly directory: string;
  readonly address: string;
  readonly volumes: ReturnType<typeof makeVolumes>;
  readonly sources: VolumeSources;
  /** Process of the container whose pid namespace is joined, if one is. */
  readonly joinPids: number | undefined;
}

/** The command is not in the container. Its message is containerd's. */
export class StartError extends Error {
  constructor(command: string) {
    const why = command.includes('/')
      ? `stat ${command}: no such file or directory`
      : 'executable file not found in $PATH';
    super(
      `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "${command}": ${why}`,
    );
  }
}

/** Throws NotReady for what is missing for now, StartError for a command that does not exist. Notes image, user and id in the slot. */
export function prepareContainer(slot: Slot, preparation: Preparation): ContainerSpec {
  const { pod, kubelet, directory, address, volumes, sources, joinPids } = preparation;
  const { spec } = slot;
  const image = kubelet.images.mustAskRegistry(spec) ? undefined : kubelet.images.pull(spec.image);
  if (!image)
    throw new NotReady(
      'ErrImagePull',
      `failed to pull and unpack image "${spec.image}": failed to resolve reference "${spec.image}": no such host`,
    );
  const { uid, gid } = userOf(pod, spec, image);
  const environment = environmentOf(pod, spec, sources);
  const argv = argvOf(spec, image, environment);
  slot.imageId = image.id;
  slot.user = { uid, gid };
  slot.id = randomBytes(32).toString('hex');
  if (image.tree && !isMounted(argv[0]!, spec) && !findInTree(image.tree, argv[0]!, environment.PATH ?? ''))
    throw new StartError(argv[0]!);
  const root = join(directory, `${spec.name}-${slot.restartCount}`, 'root');
  mkdirSync(root, { recursive: true });
  const readOnlyRoot = spec.securityContext?.readOnlyRootFilesystem === true;
  const workingDirectory = spec.workingDir ?? '/';
  const limits = spec.resources?.limits;
  const group = kubelet.groups.create(slot.id.slice(0, 16), {
    memoryBytes: parseQuantity(limits?.memory),
    cpus: parseQuantity(limits?.cpu),
  });
  const tree = image.tree;
  const mounts = !tree
    ? []
    : makeRoot(root, {
        tree,
        uid,
        gid,
        workingDirectory,
        group,
        readOnly: readOnlyRoot,
        hostname: pod.spec.hostname ?? pod.metadata.name,
        address,
        sharedMemory: join(directory, 'shm'),
        devices: kubelet.devices,
      });
  mounts.push(...volumeMounts(spec, volumes, root));
  const noNewPrivileges = spec.securityContext?.allowPrivilegeEscalation === false;
  return {
    argv,
    environment,
    workingDirectory,
    uid,
    gid,
    noNewPrivileges,
    readOnlyRoot,
    root,
    mounts,
    joinPids,
    group,
    node: image.node,
  };
}

/** Whether a command lies in one of the container's volumes. */
function isMounted(command: string, spec: Json): boolean {
  return (spec.volumeMounts ?? []).some(({ mountPath }: Json) => command.startsWith(`${mountPath}/`));
}
