/** Bundles the agent: one file for each entry, `node:` modules only, types beside them. */
import { copyFile, mkdir } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

export const shared = {
  bundle: true,
  platform: 'node',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: {
    'process.env.NODEOPS_VERSION': JSON.stringify(process.env.npm_package_version ?? '0.0.0'),
    // ws looks for native helpers unless told not to
    'process.env.WS_NO_BUFFER_UTIL': '"1"',
    'process.env.WS_NO_UTF_8_VALIDATE': '"1"',
  },
} as const satisfies BuildOptions;

/** Libraries that name Node's modules without `node:` get it: what the agent requires can then be seen at a glance. */
const nodePrefix: Plugin = {
  name: 'node-prefix',
  setup({ onResolve }) {
    onResolve({ filter: /^[a-z_/]+$/ }, ({ path }) =>
      isBuiltin(path) ? { path: `node:${path}`, external: true } : undefined,
    );
  },
};

/**
 * `import source from 'bundle:PATH'` gives the bundled text of a source file: how a worker's code travels inside one file.
 * `saw` is told of what went into it.
 */
export function bundledText(saw: (metafile: Metafile) => void = () => {}): Plugin {
  return {
    name: 'bundled-text',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^bundle:/ }, ({ path }) => ({
        path: path.slice('bundle:'.length),
        namespace: 'bundled-text',
      }));
      onLoad({ filter: /.*/, namespace: 'bundled-text' }, async ({ path }) => {
        const result = await build({
          ...shared,
          entryPoints: [path],
          format: 'cjs',
          target: 'node20',
          plugins: [nodePrefix],
          write: false,
          metafile: true,
        });
        saw(result.metafile);
        return { contents: result.outputFiles[0]!.text, loader: 'text' };
      });
    },
  };
}

/** Writes preload.cjs, index.cjs, index.mjs and their types; returns what went into them. */
export async function bundleAgent(directory: string): Promise<Metafile[]> {
  await mkdir(directory, { recursive: true });
  const seen: Metafile[] = [];
  const plugins = [nodePrefix, bundledText((metafile) => seen.push(metafile))];
  const entry = async (source: string, format: 'cjs' | 'esm', file: string) => {
    const outfile = join(directory, file);
    const result = await build({
      ...shared,
      target: 'node20',
      plugins,
      entryPoints: [source],
      format,
      outfile,
      metafile: true,
    });
    seen.push(result.metafile);
  };
  await Promise.all([
    entry('src/agent/entry/preload.ts', 'cjs', 'preload.cjs'),
    entry('src/agent/entry/index.ts', 'cjs', 'index.cjs'),
    entry('src/agent/entry/index.ts', 'esm', 'index.mjs'),
    copyFile('src/agent/public.d.ts', join(directory, 'index.d.cts')),
    copyFile('src/agent/public.d.ts', join(directory, 'index.d.mts')),
  ]);
  return seen;
}
