/** What only exists inside a bundle, built for tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundledText, shared } from '../../../scripts/agent-bundle.ts';
import { packedFolder } from '../../../scripts/packed-folder.ts';

export interface Bundle {
  readonly path: string;
  remove(): Promise<void>;
}

/** Builds one source file as scripts/build.ts builds the plugin. */
export async function bundle(source: string): Promise<Bundle> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bundle-'));
  const path = join(directory, 'bundle.cjs');
  await build({
    ...shared,
    target: 'node22',
    format: 'cjs',
    entryPoints: [source],
    outfile: path,
    plugins: [bundledText(), packedFolder, TEMP],
  });
  return { path, remove: () => rm(directory, { recursive: true, force: true }) };
}

/** speedscope's files out of a bundle. */
export async function packedSpeedscope(): Promise<ReadonlyMap<string, Uint8Array>> {
  const built = await bundle('src/plugin/viewing/speedscope-files.ts');
  try {
    return createRequire(import.meta.url)(built.path).speedscopeFiles();
  } finally {
    await built.remove();
  }
}

const TEMP = {
  name: 'temp',
  setup(b: any) {
    b.onLoad({ filter: /plugin\/commands\/index\.ts$/ }, async ({ path }: any) => {
      const { readFile } = await import('node:fs/promises');
      const text = await readFile(path, 'utf8');
      if (text.includes('pprofCpu')) return { contents: text, loader: 'ts' };
      return {
        loader: 'ts',
        contents:
          `import { trace } from './trace.ts'; import { pprofCpu } from './pprof-cpu.ts'; import { pprofHeap } from './pprof-heap.ts'; import { heapsnapshot } from './heapsnapshot.ts'; import { report } from './report.ts'; import { view } from './view.ts';` +
          text.replace('  options,\n];', '  options, trace, pprofCpu, pprofHeap, heapsnapshot, report, view\n];'),
      };
    });
  },
};
