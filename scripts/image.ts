/** Builds what the container image ships, and nothing else; see Dockerfile. */
import { rm } from 'node:fs/promises';
import { bundleAgent } from './agent-bundle.ts';
import { bundleInject } from './inject-bundle.ts';
import { bundleSidecar } from './sidecar-bundle.ts';

await rm('dist', { recursive: true, force: true });
await Promise.all([bundleAgent('dist/agent'), bundleSidecar('dist/sidecar.cjs'), bundleInject('dist')]);
