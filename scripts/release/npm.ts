import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** The tarball that `npm publish` takes; npm gives its entries one date. */
export async function writeNpmPackage(folder: string): Promise<void> {
  await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', resolve(folder)], { cwd: 'dist/npm' });
}
