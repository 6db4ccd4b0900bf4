/**
 * Builds everything that ships:
 *   dist/agent/preload.cjs, index.cjs, index.mjs   the agent, and its types
 *   dist/plugin.cjs                                the plugin as a script
 *   dist/kubectl-nodeops                           the plugin as one executable that needs no Node on the machine
 */
import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { bundleAgent, bundledText, shared } from './agent-bundle.ts';
import { buildExecutable } from './executable.ts';
import { packedFolder } from './packed-folder.ts';

async function plugin(): Promise<void> {
  await build({
    ...shared,
    target: 'node22',
    format: 'cjs',
    entryPoints: ['cmd/kubectl-nodeops/main.ts'],
    outfile: 'dist/plugin.cjs',
    plugins: [bundledText(), packedFolder],
  });
  await buildExecutable('dist/plugin.cjs', 'dist/kubectl-nodeops');
}

await rm('dist', { recursive: true, force: true });
await Promise.all([bundleAgent('dist/agent'), plugin()]);
