import { build } from 'esbuild';

/** Files of the container image, by their place under the build's output folder and in the image; see Dockerfile. */
export const imageFiles = {
  'agent/preload.cjs': '/agent/preload.cjs',
  'inject.cjs': '/nodeops/inject.cjs',
  'sidecar.cjs': '/nodeops/sidecar.cjs',
} as const;

/** Bundles the image's `inject.cjs` (webhook and init container) into `outputFolder`: one file, `node:` modules only. */
export async function buildInject(outputFolder = 'dist'): Promise<void> {
  await build({
    entryPoints: ['src/inject/main.ts'],
    outfile: `${outputFolder}/inject.cjs`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODEOPS_VERSION': JSON.stringify(process.env.npm_package_version ?? '0.0.0') },
  });
}
