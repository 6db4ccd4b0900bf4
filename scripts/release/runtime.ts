import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Platform } from './platforms.ts';
import runtimes from './runtimes.json' with { type: 'json' };

const run = promisify(execFile);
const cache = resolve('node_modules/.cache/nodeops');

/** Node for another platform, from npm, checked against the hash that is written here; fetched once. */
export async function nodeFor(name: Exclude<NonNullable<Platform['node']>, 'own'>): Promise<string> {
  const folder = join(cache, `${name}-${runtimes.version}`);
  const node = join(folder, 'package/bin', name.startsWith('node-win-') ? 'node.exe' : 'node');
  if (existsSync(node)) return node;
  await mkdir(cache, { recursive: true });
  const part = await mkdtemp(join(cache, `${name}-`));
  try {
    const { stdout } = await run('npm', [
      'pack',
      '--silent',
      `${name}@${runtimes.version}`,
      '--pack-destination',
      part,
    ]);
    const tarball = join(part, stdout.trim());
    const integrity = `sha512-${createHash('sha512')
      .update(await readFile(tarball))
      .digest('base64')}`;
    if (integrity !== runtimes.integrity[name])
      throw new Error(
        `${name}@${runtimes.version} is ${integrity}, not the ${runtimes.integrity[name]} of runtimes.json`,
      );
    await run('tar', ['-xzf', tarball, '-C', part]);
    await rm(tarball);
    await rename(part, folder);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return node;
}
