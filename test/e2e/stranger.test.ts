/** Whoever reads the README first: the released archive, kubectl, and a pod that is slow. */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { releaseFolder } from '../bed/release.ts';
import { type Bed, openBed } from './bed.ts';
import { container, hashing, pod } from './pods.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
  await bed.create(pod('slow-0', [container(bed, { script: hashing })]));
  await bed.ready('slow-0');
  await bed.answering(1, 'pod/slow-0');
}, 240_000);
afterAll(() => bed?.close());

it('from the archive to the cause: one unpacking, one command', async () => {
  const folder = await releaseFolder();
  const archive = readdirSync(folder).find((name) => name.endsWith('_linux_amd64.tar.gz'))!;
  const [store, bin] = [join(bed.directory, 'store'), join(bed.directory, 'stranger')];
  for (const made of [store, bin]) mkdirSync(made, { recursive: true });
  await promisify(execFile)('tar', ['-xzf', join(folder, archive), '-C', store, '--overwrite']);
  if (!readdirSync(bin).includes('kubectl-nodeops'))
    symlinkSync(join(store, 'kubectl-nodeops'), join(bin, 'kubectl-nodeops'));
  const env = { PATH: `${bin}:/usr/bin:/bin`, HOME: bed.directory };
  const { code, stdout } = await bed.nodeops(['why', 'pod/slow-0', '--for', '6s'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^1\. Synchronous crypto blocks the event loop: scryptSync/);
});
