/** The image that the chart installs: its content from the built files for the embedded cluster, a reference for a real one. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkFile, imageFiles } from '../../scripts/inject-bundle.ts';
import type { RegisteredImage } from '../cluster/kubelet/images.ts';

export interface OwnImage {
  /** What `openBed({ images })` takes; empty on a real cluster, which pulls it. */
  readonly images: Readonly<Record<string, RegisteredImage>>;
  /** `image` of the chart's values. */
  readonly values: { readonly repository: string; readonly tag: string };
  remove(): Promise<void>;
}

const named = process.env.NODEOPS_E2E_NODEOPS_IMAGE;

/** Why these tests cannot run, to be shown in their title; undefined when they can. */
export const noImage =
  process.env.NODEOPS_E2E_KUBECONFIG && !named
    ? 'skipped: NODEOPS_E2E_NODEOPS_IMAGE must name the image where the nodes can pull it'
    : undefined;

/** As the Dockerfile lays it out: no shell, Node as its entry. */
export async function ownImage(): Promise<OwnImage> {
  const reference = named ?? 'nodeops.test/distroless/nodeops:24';
  const [, repository, tag] = /^(.+):([^:/]+)$/.exec(reference) ?? [];
  if (!repository || !tag) throw new Error(`NODEOPS_E2E_NODEOPS_IMAGE is ${reference}: it takes REPOSITORY:TAG`);
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-image-'));
  for (const [built, place] of Object.entries(imageFiles)) {
    await mkdir(dirname(join(directory, place)), { recursive: true });
    await copyFile(join('dist', built), join(directory, place));
  }
  await copyFile('dist/inject.cjs', join(directory, checkFile));
  return {
    images: named ? {} : { [reference]: { directory, entrypoint: ['/nodejs/bin/node'] } },
    values: { repository, tag },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
