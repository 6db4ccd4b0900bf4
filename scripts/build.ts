/**
 * Builds everything that ships:
 *   dist/agent/preload.cjs, index.cjs, index.mjs   the agent: one file each, `node:` modules only
 *   dist/plugin.cjs                                the plugin as a script
 *   dist/kubectl-nodeops                           the plugin as one executable that needs no Node on the machine
 */
import { mkdir, rm } from 'node:fs/promises';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { buildExecutable } from './executable.ts';

const shared = {
  bundle: true,
  platform: 'node',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: { 'process.env.NODEOPS_VERSION': JSON.stringify(process.env.npm_package_version ?? '0.0.0') },
} as const satisfies BuildOptions;

/** `import source from 'bundle:PATH'` gives the bundled text of a source file: how a worker's code travels inside one file. */
const bundledText: Plugin = {
  name: 'bundled-text',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bundle:/ }, ({ path }) => ({
      path: path.slice('bundle:'.length),
      namespace: 'bundled-text',
    }));
    onLoad({ filter: /.*/, namespace: 'bundled-text' }, async ({ path }) => {
      const result = await build({ ...shared, entryPoints: [path], format: 'cjs', target: 'node20', write: false });
      return { contents: result.outputFiles[0]!.text, loader: 'text' };
    });
  },
};

async function agent(): Promise<void> {
  const options = { ...shared, target: 'node20', plugins: [bundledText] };
  await Promise.all([
    build({ ...options, entryPoints: ['src/agent/preload.ts'], format: 'cjs', outfile: 'dist/agent/preload.cjs' }),
    build({ ...options, entryPoints: ['src/agent/index.ts'], format: 'cjs', outfile: 'dist/agent/index.cjs' }),
    build({ ...options, entryPoints: ['src/agent/index.ts'], format: 'esm', outfile: 'dist/agent/index.mjs' }),
  ]);
}

async function plugin(): Promise<void> {
  await build({
    ...shared,
    target: 'node22',
    format: 'cjs',
    entryPoints: ['cmd/kubectl-nodeops/main.ts'],
    outfile: 'dist/plugin.cjs',
    plugins: [bundledText],
  });
  await buildExecutable('dist/plugin.cjs', 'dist/kubectl-nodeops');
}

await rm('dist', { recursive: true, force: true });
await mkdir('dist/agent', { recursive: true });
await Promise.all([agent(), plugin()]);
