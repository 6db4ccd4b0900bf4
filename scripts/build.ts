/**
 * Builds everything that ships:
 *   dist/agent/preload.cjs, index.cjs, index.mjs   the agent, and its types
 *   dist/plugin.cjs, dist/chunks/                  the plugin as a script
 *   dist/kubectl-nodeops                           the plugin as one executable that needs no Node on the machine
 *   dist/sidecar.cjs                               the sidecar, for the image
 *   dist/inject.cjs                                the webhook, for the image
 *   dist/npm/                                      the npm package
 *   dist/bundled.json                              folders of the npm packages that are in it, for the list of parts of a release
 */
import { rm, writeFile } from 'node:fs/promises';
import { bundleAgent } from './agent-bundle.ts';
import { buildExecutable } from './executable.ts';
import { bundleInject } from './inject-bundle.ts';
import { bundledFolders, writePackage } from './package.ts';
import { bundlePlugin } from './plugin-bundle.ts';
import { bundleSidecar } from './sidecar-bundle.ts';

await rm('dist', { recursive: true, force: true });
const [{ metafiles, chunks }] = await Promise.all([
  bundlePlugin('dist/plugin.cjs'),
  bundleAgent('dist/agent'),
  bundleSidecar('dist/sidecar.cjs'),
  bundleInject('dist'),
]);
await Promise.all([
  buildExecutable({ bundle: 'dist/plugin.cjs', chunks, output: 'dist/kubectl-nodeops' }),
  writePackage({ agentFolder: 'dist/agent', plugin: 'dist/plugin.cjs', metafiles, chunks, output: 'dist/npm' }),
  writeFile('dist/bundled.json', JSON.stringify(bundledFolders(metafiles))),
]);
