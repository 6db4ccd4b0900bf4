import { build, type Metafile } from 'esbuild';
import { bundledText, shared } from './agent-bundle.ts';
import { packedFolder } from './packed-folder.ts';

/** Bundles the plugin into one script; returns what went into it. */
export async function bundlePlugin(outfile: string): Promise<Metafile> {
  const { metafile } = await build({
    ...shared,
    target: 'node22',
    format: 'cjs',
    entryPoints: ['cmd/kubectl-nodeops/main.ts'],
    outfile,
    plugins: [bundledText(), packedFolder],
    metafile: true,
  });
  return metafile;
}
