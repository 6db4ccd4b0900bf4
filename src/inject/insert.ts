import { annotationPrefix } from '../protocol/annotations.ts';
import type { PodEditor } from './editor.ts';
import {
  agentVolume,
  artifactsLimit,
  installContainer,
  mounts,
  type Plan,
  sidecarContainer,
  tokenVolume,
  triggersVolume,
  triggerVariables,
  variables,
} from './parts.ts';
import { containers, preloadFile, preloadFlag, volumes } from './paths.ts';
import type { Place } from './places.ts';
import type { Container, Volume, VolumeMount } from './pod.ts';
import { nodeOptions } from './reasons.ts';

/** Adds to the pod what is not there yet. Our containers come last: they go before the others and move them. */
export function insertAll(editor: PodEditor, targets: readonly Place[], sidecar: boolean, plan: Plan): void {
  addVolumes(editor, targets.length > 0, plan);
  for (const target of targets) addToContainer(editor, target, plan);
  if (sidecar) {
    editor.set(['spec', 'shareProcessNamespace'], true);
    addContainer(editor, containers.sidecar, () => sidecarContainer(plan));
  }
  // first of all, so that init containers find the files, too; a volume of the pod's own may be of the other kind of delivery
  if (targets.length > 0 && !editor.pod.spec.volumes?.find(({ name }) => name === volumes.agent)?.image)
    addContainer(editor, containers.agent, () => installContainer(plan));
  const names = [...targets.map(({ container }) => container.name), ...(sidecar ? [containers.sidecar] : [])];
  editor.set(['metadata', 'annotations', `${annotationPrefix}injected`], names.join(','));
  editor.set(['metadata', 'annotations', `${annotationPrefix}version`], plan.settings.version);
}

function addVolumes(editor: PodEditor, agent: boolean, plan: Plan): void {
  const existing = editor.pod.spec.volumes ?? [];
  const add = (volume: Volume) => {
    if (!existing.some(({ name }) => name === volume.name)) editor.insert(['spec', 'volumes'], volume, 'last');
  };
  if (agent) {
    add(agentVolume(plan));
    // of a template that was copied from an injected pod, of an older version maybe
    const index = existing.findIndex(({ name, image }) => name === volumes.agent && image);
    if (index !== -1) editor.set(['spec', 'volumes', index, 'image', 'reference'], plan.wishes.image);
  }
  if (plan.artifactsMebibytes > 0) {
    const index = existing.findIndex(({ name }) => name === volumes.artifacts);
    const sizeLimit = artifactsLimit(plan);
    if (index === -1) add({ name: volumes.artifacts, emptyDir: { sizeLimit } });
    else if (existing[index]?.emptyDir) editor.set(['spec', 'volumes', index, 'emptyDir', 'sizeLimit'], sizeLimit);
  }
  if (plan.settings.tokenSecret) add(tokenVolume(plan.settings.tokenSecret));
  if (agent && plan.wishes.triggersConfigMap) add(triggersVolume(plan.wishes.triggersConfigMap));
}

function addToContainer(editor: PodEditor, { list, index, container }: Place, plan: Plan): void {
  const at = ['spec', list, index];
  const isMounted = ({ name, mountPath }: VolumeMount) =>
    (container.volumeMounts ?? []).some((mount) => mount.name === name && mount.mountPath === mountPath);
  for (const mount of mounts(plan, container.name))
    if (!isMounted(mount)) editor.insert([...at, 'volumeMounts'], mount, 'last');

  const options = nodeOptions(container);
  if (!options) editor.insert([...at, 'env'], { name: 'NODE_OPTIONS', value: preloadFlag }, 'last');
  else if (!(options.value ?? '').includes(preloadFile))
    editor.set(
      [...at, 'env', (container.env ?? []).indexOf(options), 'value'],
      options.value ? `${options.value} ${preloadFlag}` : preloadFlag,
    );

  const set = new Set((container.env ?? []).map(({ name }) => name));
  for (const variable of [...variables(plan, container.name), ...triggerVariables(plan)])
    if (!set.has(variable.name)) editor.insert([...at, 'env'], variable, 'last');
}

/** Adds one of our own containers, or gives the one that a copied template has its image of today. */
function addContainer(editor: PodEditor, name: string, build: () => Container): void {
  const index = (editor.pod.spec.initContainers ?? []).findIndex((container) => container.name === name);
  if (index === -1) editor.insert(['spec', 'initContainers'], build(), 'first');
  else editor.set(['spec', 'initContainers', index, 'image'], build().image);
}
