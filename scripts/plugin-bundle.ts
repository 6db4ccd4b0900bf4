/**
 * Bundles the plugin into one script, and what few invocations need into parts beside it: most of a start is reading code,
 * and these are four fifths of it.
 */
import { join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { bundledText, shared } from './agent-bundle.ts';
import { packedHelp } from './help-pages.ts';
import { packedFolder } from './packed-folder.ts';

/** Imports that become parts of their own, by what is imported of them. */
const parts: readonly { readonly filter: RegExp; readonly exports: readonly string[] }[] = [
  { filter: /^packed:/, exports: ['default'] },
  { filter: /^help:/, exports: ['default'] },
  { filter: /^bundle:/, exports: ['default'] },
  { filter: /^@kubernetes\/client-node\/dist\/config\.js$/, exports: ['KubeConfig'] },
];

export interface PluginBundle {
  readonly metafiles: readonly Metafile[];
  /** File names of the parts, in the folder `chunks` beside the script. */
  readonly chunks: readonly string[];
}

/** Writes `outfile` and the folder `chunks` beside it. */
export async function bundlePlugin(outfile: string): Promise<PluginBundle> {
  const metafiles: Metafile[] = [];
  const chunks = new Set<string>();
  const plugins = [bundledText((metafile) => metafiles.push(metafile)), packedFolder, packedHelp];
  // a script that starts from a snapshot has no loader for import(): what is bundled needs none, and Node's modules are required
  const supported = { 'dynamic-import': false };
  const alias = { undici: resolve('scripts/without-undici.ts') };
  const options = { ...shared, target: 'node22', format: 'cjs', supported, alias, metafile: true } as const;

  const apart: Plugin = {
    name: 'apart',
    setup({ onResolve, onLoad }) {
      for (const { filter } of parts) onResolve({ filter }, ({ path }) => ({ path, namespace: 'apart' }));
      onLoad({ filter: /.*/, namespace: 'apart' }, async ({ path }) => {
        const name = `${path.replaceAll(/[^a-z0-9]+/gi, '-')}.cjs`;
        const { exports } = parts.find(({ filter }) => filter.test(path))!;
        const contents = `export { ${exports.join(', ')} } from '${path}';`;
        const { metafile } = await build({
          ...options,
          stdin: { contents, resolveDir: '.' },
          outfile: join(outfile, '../chunks', name),
          plugins,
        });
        metafiles.push(metafile);
        chunks.add(name);
        const lines = exports.map((key) =>
          key === 'default' ? 'export default chunk.default;' : `export const ${key} = chunk.${key};`,
        );
        return {
          contents: [
            `import { loadChunk } from '${resolve('scripts/chunk-loader.ts')}';`,
            `const chunk = loadChunk('${name}');`,
            ...lines,
          ].join('\n'),
          resolveDir: '.',
          loader: 'js',
        };
      });
    },
  };
  const { metafile } = await build({
    ...options,
    entryPoints: ['cmd/kubectl-nodeops/main.ts'],
    outfile,
    plugins: [apart],
  });
  return { metafiles: [metafile, ...metafiles], chunks: [...chunks].sort() };
}
