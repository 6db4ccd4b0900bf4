/** A container's environment, command and user, worked out from its pod as the kubelet does. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, KubeObject } from '../api/types.ts';
import type { Image } from './images.ts';
import { parseQuantity } from './quantity.ts';
import { NotReady, type VolumeSources } from './volumes.ts';

/** A field of the pod by its path, as `fieldRef` names them. */
export function podField(pod: KubeObject, path: string): string {
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed) return pod.metadata[keyed[1]!]?.[keyed[2]!] ?? '';
  if (path === 'metadata.labels' || path === 'metadata.annotations')
    return Object.entries(pod.metadata[path.split('.')[1]!] ?? {})
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join('\n');
  const value = path.split('.').reduce<Json>((at, part) => at?.[part], pod);
  return value === undefined ? '' : String(value);
}

export function environmentOf(pod: KubeObject, container: Json, sources: VolumeSources): Record<string, string> {
  const found: Record<string, string> = {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOSTNAME: pod.spec.hostname ?? pod.metadata.name,
    HOME: '/home/node',
  };
  if (pod.spec.enableServiceLinks !== false) {
    found.KUBERNETES_SERVICE_HOST = '10.96.0.1';
    found.KUBERNETES_SERVICE_PORT = '443';
  }
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const [kind, ref, object] = configMapRef
      ? ['configmap', configMapRef, sources.configMap(configMapRef.name)]
      : ['secret', secretRef, sources.secret(secretRef.name)];
    if (!object && !ref.optional) throw new NotReady('CreateContainerConfigError', `${kind} "${ref.name}" not found`);
    for (const [key, value] of Object.entries((object as KubeObject | undefined)?.data ?? {}))
      found[prefix + key] = kind === 'secret' ? Buffer.from(value as string, 'base64').toString() : (value as string);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const text = valueFrom ? resolveValue(valueFrom, pod, container, sources) : expand(value ?? '', found);
    if (text !== undefined) found[name] = text;
  }
  return found;
}

function resolveValue(from: Json, pod: KubeObject, container: Json, sources: VolumeSources): string | undefined {
  if (from.fieldRef) return sources.field(from.fieldRef.fieldPath);
  if (from.resourceFieldRef) return resourceField(from.resourceFieldRef, pod, container);
  const ref = from.configMapKeyRef ?? from.secretKeyRef;
  const kind = from.configMapKeyRef ? 'configmap' : 'secret';
  const object = kind === 'configmap' ? sources.configMap(ref.name) : sources.secret(ref.name);
  const value = object?.data?.[ref.key];
  if (value !== undefined) return kind === 'secret' ? Buffer.from(value, 'base64').toString() : value;
  if (ref.optional) return undefined;
  if (!object) throw new NotReady('CreateContainerConfigError', `${kind} "${ref.name}" not found`);
  const where = `${pod.metadata.namespace}/${ref.name}`;
  const what = kind === 'configmap' ? 'ConfigMap' : 'Secret';
  throw new NotReady('CreateContainerConfigError', `couldn't find key ${ref.key} in ${what} ${where}`);
}

function resourceField({ resource, containerName, divisor }: Json, pod: KubeObject, container: Json): string {
  const of = containerName ? pod.spec.containers.find((c: Json) => c.name === containerName) : container;
  const [kind, name] = resource.split('.');
  const amount = parseQuantity(of?.resources?.[kind]?.[name]) ?? 0;
  const unit = parseQuantity(divisor === '0' || divisor === undefined ? '1' : divisor) ?? 1;
  return String(Math.ceil(amount / unit));
}

/** `$(NAME)` as Kubernetes expands it: unknown names stay as they are, `$$` is a dollar sign. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^)]+)\)/g, (whole, name?: string) =>
    name === undefined ? '$' : (values[name] ?? whole),
  );
}

export function argvOf(container: Json, image: Image, environment: Readonly<Record<string, string>>): string[] {
  const fill = (list: string[] | undefined) => list?.map((text) => expand(text, environment));
  const command = fill(container.command);
  const args = fill(container.args) ?? [];
  if (command?.length) return [...command, ...args];
  const [first] = args;
  const yields = image.entrypointYields && first !== undefined && !first.startsWith('-');
  if (yields && image.tree && isProgram(image.tree, first, environment.PATH ?? '')) return args;
  return [...image.entrypoint, ...args];
}

function isProgram(tree: string, command: string, path: string): boolean {
  const found = findInTree(tree, command, path);
  return found !== undefined && (statSync(join(tree, found)).mode & 0o111) !== 0;
}

/** Where a command is in an image, as its own paths go; undefined when it is not there. */
export function findInTree(tree: string, command: string, path: string): string | undefined {
  const places = command.includes('/') ? [command] : path.split(':').map((directory) => `${directory}/${command}`);
  return places.find((place) => existsSync(join(tree, place)));
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
}

export function userOf(pod: KubeObject, container: Json, image: Image): ContainerUser {
  const security = { ...pod.spec.securityContext, ...container.securityContext };
  const uid = security.runAsUser ?? image.uid;
  if (security.runAsNonRoot && uid === 0)
    throw new NotReady(
      'CreateContainerConfigError',
      `container's runAsUser breaks non-root policy (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    );
  return { uid, gid: security.runAsGroup ?? (security.runAsUser === undefined ? image.gid : 0) };
}
