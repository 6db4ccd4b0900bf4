/** A pod's volumes as directories, and what its containers mount of them. */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Json, KubeObject } from '../api/types.ts';
import type { Images } from './images.ts';
import { type Mount, mountAll, placeholder } from './mounts.ts';
import { parseQuantity } from './quantity.ts';

/** Why a container cannot be made yet; the kubelet shows it as `waiting`. */
export class NotReady extends Error {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface VolumeSources {
  readonly images: Images;
  /** False without namespaces: sizes of emptyDirs then have no effect. */
  readonly canMount: boolean;
  configMap(name: string): KubeObject | undefined;
  secret(name: string): KubeObject | undefined;
  token(audience: string | undefined, seconds: number): string;
  field(path: string): string;
}

interface Volume {
  readonly directory: string;
  readonly readOnly: boolean;
}

/** Makes every volume of the pod below `base`. Throws NotReady for what does not exist (yet). */
export function makeVolumes(pod: KubeObject, base: string, sources: VolumeSources): Map<string, Volume> {
  const made = new Map<string, Volume>();
  for (const volume of pod.spec.volumes ?? []) {
    const directory = join(base, volume.name);
    made.set(volume.name, makeVolume(volume, directory, pod, sources));
  }
  return made;
}

function makeVolume(volume: Json, directory: string, pod: KubeObject, sources: VolumeSources): Volume {
  if (volume.hostPath) return { directory: volume.hostPath.path, readOnly: false };
  if (volume.image) {
    const image = sources.images.registered(volume.image.reference);
    if (!image) throw new NotReady('ImagePullBackOff', `image volume ${volume.image.reference} is not registered`);
    return { directory: image.directory, readOnly: true };
  }
  mkdirSync(directory, { recursive: true });
  if (volume.emptyDir) {
    const size = parseQuantity(volume.emptyDir.sizeLimit);
    if (sources.canMount && (size !== undefined || volume.emptyDir.medium === 'Memory')) {
      const options = `mode=777${size === undefined ? '' : `,size=${size}`}`;
      mountAll([{ source: 'tmpfs', target: directory, type: 'tmpfs', options }], `${directory}.fstab`);
    }
    chmodSync(directory, pod.spec.securityContext?.fsGroup === undefined ? 0o777 : 0o2777);
    if (pod.spec.securityContext?.fsGroup !== undefined) tryChown(directory, pod.spec.securityContext.fsGroup);
    return { directory, readOnly: false };
  }
  const files = projectedFiles(volume, sources);
  if (!files) throw new NotReady('ContainerCreating', `volume ${volume.name} is of a kind this cluster does not have`);
  writeFiles(directory, files, pod);
  return { directory, readOnly: true };
}

/** Files of a volume made of objects of the API; undefined for another kind of volume. */
function projectedFiles(volume: Json, sources: VolumeSources): ProjectedFile[] | undefined {
  if (!volume.projected && !volume.configMap && !volume.secret && !volume.downwardAPI) return undefined;
  const mode = volume.projected?.defaultMode ?? 0o644;
  const parts: Json[] = volume.projected?.sources ?? [volume];
  return parts.flatMap((source) => [...filesOf(source, mode, sources)]);
}

/** Whether one of the pod's volumes is made of that object. */
export function usesSource(pod: KubeObject, kind: 'configMap' | 'secret', name: string): boolean {
  return (pod.spec.volumes ?? []).some((volume: Json) =>
    [volume, ...(volume.projected?.sources ?? [])].some(
      (source: Json) => (source[kind]?.secretName ?? source[kind]?.name) === name,
    ),
  );
}

/** Writes again what came from objects of the API. Mounts of a subPath keep what they had, as on a real node. */
export function refreshVolumes(pod: KubeObject, base: string, sources: VolumeSources): void {
  for (const volume of pod.spec.volumes ?? [])
    if (volume.configMap || volume.secret || volume.projected)
      try {
        writeFiles(join(base, volume.name), projectedFiles(volume, sources)!, pod);
      } catch (error) {
        // its object is gone: a container keeps the files it has
        if (!(error instanceof NotReady)) throw error;
      }
}

interface ProjectedFile {
  readonly path: string;
  readonly data: string | Buffer;
  readonly mode: number;
}

function* filesOf(source: Json, defaultMode: number, sources: VolumeSources): Generator<ProjectedFile> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) {
    const found = sources.configMap(configMap.name);
    // the distribution-specific ones that a service account volume names are optional on a plain cluster
    if (!found && !configMap.optional && configMap.name !== 'openshift-service-ca.crt')
      throw new NotReady('ContainerCreating', `configmap "${configMap.name}" not found`);
    const data = { ...found?.data, ...binary(found?.binaryData) };
    yield* keyed(data, configMap.items, configMap.defaultMode ?? defaultMode);
  }
  if (secret) {
    const found = sources.secret(secret.secretName ?? secret.name);
    if (!found && !secret.optional)
      throw new NotReady('ContainerCreating', `secret "${secret.secretName ?? secret.name}" not found`);
    yield* keyed(binary(found?.data), secret.items, secret.defaultMode ?? defaultMode);
  }
  for (const item of downwardAPI?.items ?? [])
    yield { path: item.path, data: sources.field(item.fieldRef?.fieldPath ?? ''), mode: item.mode ?? defaultMode };
  if (serviceAccountToken) {
    const { path, audience, expirationSeconds = 3600 } = serviceAccountToken;
    yield { path, data: sources.token(audience, expirationSeconds), mode: 0o644 };
  }
}

function binary(data: Record<string, string> = {}): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

function* keyed(
  data: Record<string, string | Buffer>,
  items: Json[] | undefined,
  mode: number,
): Generator<ProjectedFile> {
  if (!items) {
    for (const [path, value] of Object.entries(data)) yield { path, data: value, mode };
    return;
  }
  for (const item of items)
    if (data[item.key] !== undefined) yield { path: item.path, data: data[item.key]!, mode: item.mode ?? mode };
}

/** All files at once: in a directory of their own behind a `..data` link, as the kubelet lays them out. */
function writeFiles(directory: string, files: readonly ProjectedFile[], pod: KubeObject): void {
  const { fsGroup } = pod.spec.securityContext ?? {};
  const fresh = mkdtempSync(join(directory, `..${Date.now()}.`));
  chmodSync(fresh, 0o755);
  for (const { path, data, mode } of files) {
    const file = join(fresh, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data);
    chmodSync(file, mode);
    if (fsGroup !== undefined) tryChown(file, fsGroup);
  }
  const link = join(directory, '..data');
  const old = existsSync(link) ? readlinkSync(link) : undefined;
  symlinkSync(basename(fresh), `${link}_tmp`);
  renameSync(`${link}_tmp`, link);
  const names = new Set(files.map(({ path }) => path.split('/')[0]!));
  for (const name of names)
    if (!isLink(join(directory, name))) symlinkSync(join('..data', name), join(directory, name));
  for (const name of readdirSync(directory))
    if (!name.startsWith('..') && !names.has(name)) unlinkSync(join(directory, name));
  if (old) rmSync(join(directory, old), { recursive: true, force: true });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function tryChown(file: string, group: number): void {
  try {
    chownSync(file, -1 as number, group);
  } catch {
    // one user only (user namespace): modes are open enough
  }
}

/** The mounts of a container's volumeMounts, with their places made below `root`. */
export function volumeMounts(container: Json, volumes: ReadonlyMap<string, Volume>, root: string): Mount[] {
  return (container.volumeMounts ?? []).map((mount: Json) => {
    const volume = volumes.get(mount.name)!;
    const source = mount.subPath ? join(volume.directory, mount.subPath) : volume.directory;
    if (mount.subPath && !existsSync(source)) {
      placeholder(source, true);
      // as open as its volume: it is the container's user who writes to it
      chmodSync(source, statSync(volume.directory).mode & 0o7777);
    }
    const target = join(root, mount.mountPath);
    placeholder(target, statSync(source).isDirectory());
    return { source, target, options: mount.readOnly || volume.readOnly ? 'bind,ro' : 'bind' };
  });
}
