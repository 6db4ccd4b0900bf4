import { build } from 'esbuild';
import { shared } from './agent-bundle.ts';

/** Files of the container image, by their place under the build's output folder and in the image; see Dockerfile. */
export const imageFiles = {
  'agent/preload.cjs': '/agent/preload.cjs',
  'inject.cjs': '/nodeops/inject.cjs',
  'sidecar.cjs': '/nodeops/sidecar.cjs',
} as const;

/** Where `inject.cjs` is a second time: the pod of `helm test` is injected, and the agent's volume hides its /nodeops. */
export const checkFile = '/inject.cjs';

/** Bundles the image's `inject.cjs` (webhook and init container) into `outputFolder`: one file, `node:` modules only. */
export async function bundleInject(outputFolder = 'dist'): Promise<void> {
  await build({
    ...shared,
    entryPoints: ['src/inject/main.ts'],
    outfile: `${outputFolder}/inject.cjs`,
    format: 'cjs',
    target: 'node24',
  });
}
