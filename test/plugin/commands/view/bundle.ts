/** What only exists inside a bundle, built for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundledText, shared } from '../../../../scripts/agent-bundle.ts';
import { packedFolder } from '../../../../scripts/packed-folder.ts';

export interface Bundle {
  readonly path: string;
  remove(): Promise<void>;
}

/** Builds one source file as scripts/build.ts builds the plugin. */
export async function bundle(source: string): Promise<Bundle> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bundle-'));
  const path = join(directory, 'bundle.cjs');
  await build({
    ...shared,
    target: 'node22',
    format: 'cjs',
    entryPoints: [source],
    outfile: path,
    plugins: [bundledText(), packedFolder],
  });
  return { path, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** speedscope's files out of a bundle. */
export async function packedSpeedscope(): Promise<ReadonlyMap<string, Uint8Array>> {
  const built = await bundle('src/plugin/commands/view/speedscope-files.ts');
  try {
    return createRequire(import.meta.url)(built.path).speedscopeFiles();
  } finally {
    await built.remove();
  }
}
