/**
 * Makes what a release publishes from what `npm run build` left in dist:
 *   node scripts/release/run.ts [--output dist/release] [--quick] [--image-base OCI-LAYOUT]
 * `--quick` makes this platform's only, and compresses little. Nothing is published: .github/workflows/release.yml does that.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeBom } from './bom.ts';
import { writeChart } from './chart.ts';
import { writeCommandArchives } from './command.ts';
import { sourceDate } from './date.ts';
import { writeImage } from './image.ts';
import { sha256, writeKrewManifest } from './krew.ts';
import { notesOf } from './notes.ts';
import { writeNpmPackage } from './npm.ts';
import { platforms } from './platforms.ts';

export interface ReleaseOptions {
  readonly output: string;
  /** @default false */
  readonly quick?: boolean;
  readonly imageBase?: string | undefined;
}

export async function release({ output, quick = false, imageBase }: ReleaseOptions): Promise<void> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const effort = quick ? 'quick' : 'best';
  const date = await sourceDate();
  const chosen = quick ? platforms.filter(({ node }) => node === 'own') : platforms;
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const bundled: string[] = JSON.parse(await readFile('dist/bundled.json', 'utf8'));
  const architectures = quick ? (['amd64'] as const) : (['amd64', 'arm64'] as const);
  await Promise.all([
    writeNpmPackage(output),
    writeChart(join(output, `nodeops-chart-${version}.tgz`), version, date),
    writeBom(join(output, `nodeops_${version}.cdx.json`), bundled, date),
    writeFile(join(output, 'RELEASE_NOTES.md'), notesOf(await readFile('CHANGELOG.md', 'utf8'), version)),
    writeImage(join(output, 'image'), { version, date, effort, architectures, base: imageBase }),
    writeCommandArchives(output, { version, date, effort, platforms: chosen }),
  ]);
  await writeKrewManifest(output, version, chosen);
  await writeChecksums(output);
}

/** For `sha256sum --check`. */
async function writeChecksums(folder: string): Promise<void> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
  const lines = names.sort().map(async (name) => `${sha256(await readFile(join(folder, name)))}  ${name}\n`);
  await writeFile(join(folder, 'SHA256SUMS'), (await Promise.all(lines)).join(''));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: 'dist/release' },
      quick: { type: 'boolean', default: false },
      'image-base': { type: 'string' },
    },
  });
  await release({ output: resolve(values.output), quick: values.quick, imageBase: values['image-base'] });
}
