import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** Node 26 builds single executables by itself and lets them ignore the operator's NODE_OPTIONS. */
const node26 = resolve('node_modules/node26/bin/node');

/**
 * Makes one executable of a CommonJS bundle and its parts: a single executable where Node 26 is installed for this platform, else a
 * script that needs Node ≥ 22.19 on the PATH.
 */
export async function buildExecutable(bundle: string, chunks: readonly string[], output: string): Promise<void> {
  if (!existsSync(node26)) {
    // the script finds its parts in the folder beside it
    await writeFile(output, `#!/usr/bin/env node\n${await readFile(bundle, 'utf8')}`);
    await chmod(output, 0o755);
    return;
  }
  const config = `${output}.json`;
  await writeFile(
    config,
    JSON.stringify({
      main: resolve(bundle),
      output: resolve(output),
      executable: node26,
      disableExperimentalSEAWarning: true,
      useSnapshot: true,
      execArgvExtension: 'none',
      assets: Object.fromEntries(chunks.map((name) => [name, resolve(bundle, '../chunks', name)])),
    }),
  );
  // the snapshot is made by running the bundle once; Node warns of modules it has not tried in one
  await promisify(execFile)(node26, ['--no-warnings', '--build-sea', config]);
}
