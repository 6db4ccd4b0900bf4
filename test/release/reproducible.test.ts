import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildExecutable } from '../../scripts/executable.ts';
import { release } from '../../scripts/release/run.ts';
import { isWhole, releaseFolder } from '../bed/release.ts';

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'nodeops-again-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

it('an executable that is built twice has the same bytes', async () => {
  const output = join(scratch, 'kubectl-nodeops');
  await buildExecutable({ bundle: 'dist/plugin.cjs', chunks: readdirSync('dist/chunks').sort(), output });
  expect(sha256(output)).toBe(sha256('dist/kubectl-nodeops'));
});

it('a release that is made twice has the same bytes', async () => {
  const again = join(scratch, 'release');
  await release({ output: again, quick: !isWhole, imageBase: process.env.NODEOPS_IMAGE_BASE });
  const folder = await releaseFolder();
  expect(readFileSync(join(again, 'SHA256SUMS'), 'utf8')).toBe(readFileSync(join(folder, 'SHA256SUMS'), 'utf8'));
  expect(readdirSync(join(again, 'image/blobs/sha256')).sort()).toEqual(
    readdirSync(join(folder, 'image/blobs/sha256')).sort(),
  );
});
