import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeImage } from '../../scripts/release/image.ts';
import { isWhole, releaseFolder } from '../bed/release.ts';

const run = promisify(execFile);
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const has = (program: string) => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

let layout: string;
let scratch: string;
beforeAll(async () => {
  layout = join(await releaseFolder(), 'image');
  scratch = mkdtempSync(join(tmpdir(), 'nodeops-image-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const blob = (digest: string, from = layout) => readFileSync(join(from, 'blobs', digest.replace(':', '/')));
const parsed = (digest: string, from = layout) => JSON.parse(blob(digest, from).toString());
const index = (from = layout) =>
  parsed(JSON.parse(readFileSync(join(from, 'index.json'), 'utf8')).manifests[0].digest, from);

/** The files of an image, later layers over earlier ones, in a folder. */
async function unpacked(manifest: { layers: { digest: string }[] }): Promise<string> {
  const root = join(scratch, 'root');
  mkdirSync(root);
  for (const { digest } of manifest.layers)
    await run('tar', ['-xzf', join(layout, 'blobs', digest.replace(':', '/')), '-C', root]);
  return root;
}

describe('the image', () => {
  it('is a layout whose blobs are what they are called', () => {
    for (const name of readdirSync(join(layout, 'blobs/sha256')))
      expect(
        createHash('sha256')
          .update(blob(`sha256:${name}`))
          .digest('hex'),
      ).toBe(name);
    const { manifests } = index();
    expect(manifests.map(({ platform }: { platform: object }) => platform)).toEqual(
      (isWhole ? ['amd64', 'arm64'] : ['amd64']).map((architecture) => ({ architecture, os: 'linux' })),
    );
    for (const { digest } of manifests) {
      const { config, layers } = parsed(digest);
      const { rootfs } = parsed(config.digest);
      const contents = layers.map((layer: { digest: string }) => gunzipSync(blob(layer.digest)));
      const ids = contents.map((bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
      expect(rootfs.diff_ids).toEqual(ids);
    }
  });

  it.runIf(process.getuid?.() === 0)('runs its entry as a plain user', async () => {
    const manifest = parsed(index().manifests[0].digest);
    const { config } = parsed(manifest.config.digest);
    expect(config).toMatchObject({ User: '65532:65532', Cmd: ['/nodeops/sidecar.cjs'] });
    const root = await unpacked(manifest);
    expect(readdirSync(root).sort()).toEqual(expect.arrayContaining(['agent', 'inject.cjs', 'nodejs', 'nodeops']));
    const inside = (...words: string[]) => run('chroot', ['--userspec=65532:65532', root, ...words]);
    const script = `require('/agent/preload.cjs'); console.log(process.getuid())`;
    expect((await inside(config.Entrypoint[0], '-e', script)).stdout).toBe('65532\n');
    const failed = await inside(config.Entrypoint[0], '/nodeops/inject.cjs', 'install').catch((error) => error);
    expect([failed.code, failed.stderr]).toEqual([expect.any(Number), expect.stringMatching(/install/)]);
  });

  it('goes on top of a base that is given', async () => {
    const output = join(scratch, 'on-base');
    const options = { version, date: new Date(0), effort: 'quick', architectures: ['amd64'] } as const;
    await writeImage(output, { ...options, base: layout });
    const [over, below] = [index(output), index()].map(({ manifests }, at) =>
      parsed(manifests[0].digest, at === 0 ? output : layout),
    );
    expect(over.layers.slice(0, -1)).toEqual(below.layers);
    await expect(
      writeImage(join(scratch, 'none'), { ...options, architectures: ['arm64'], base: join(scratch, 'on-base') }),
    ).rejects.toThrow('has no image for linux/arm64');
  });

  it('is read and copied by skopeo', async ({ skip }) => {
    skip(!has('skopeo'), 'skopeo is not installed');
    const { stdout } = await run('skopeo', ['inspect', '--config', `oci:${layout}:${version}`]);
    expect(JSON.parse(stdout).config.Labels['org.opencontainers.image.version']).toBe(version);
    await run('skopeo', [
      '--insecure-policy',
      'copy',
      '--all',
      `oci:${layout}:${version}`,
      `oci:${join(scratch, 'copied')}:x`,
    ]);
    expect(index(join(scratch, 'copied'))).toEqual(index());
  });

  it('is a container for buildah', async ({ skip }) => {
    skip(!has('buildah'), 'buildah is not installed');
    skip(process.getuid?.() !== 0, 'its storage takes root');
    const storage = ['--root', join(scratch, 'storage'), '--runroot', join(scratch, 'run'), '--storage-driver', 'vfs'];
    const buildah = (...words: string[]) => run('buildah', [...storage, ...words]);
    // buildah makes a name of the path, and names have no capitals
    const link = join(tmpdir(), `nodeops-image-${process.pid}`);
    symlinkSync(layout, link);
    const from = await buildah(
      'from',
      '--signature-policy',
      join(import.meta.dirname, 'accept.json'),
      `oci:${link}:${version}`,
    );
    const name = from.stdout.trim();
    const { stdout } = await buildah(
      'run',
      '--isolation',
      'chroot',
      name,
      '--',
      '/nodejs/bin/node',
      '-p',
      'process.getuid()',
    );
    expect(stdout).toBe('65532\n');
    await buildah('rm', name);
    rmSync(link);
  });
});
