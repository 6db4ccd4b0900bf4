import { build } from 'esbuild';
import { shared } from './agent-bundle.ts';

/** Bundles the sidecar of the image: one file, `node:` modules only. */
export async function bundleSidecar(outfile: string): Promise<void> {
  await build({ ...shared, entryPoints: ['src/sidecar/main.ts'], format: 'cjs', target: 'node20', outfile });
}
