/** The built files that tests run, each bundled once a run as scripts/build.ts bundles it. */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bundleAgent, bundledText, shared } from '../../scripts/agent-bundle.ts';
import { packedFolder } from '../../scripts/packed-folder.ts';
import { bundlePlugin } from '../../scripts/plugin-bundle.ts';
import { once } from './once.ts';

const metafiles = 'metafiles.json';

/** preload.cjs, index.cjs, index.mjs: to be run, or to be copied by who writes beside them. */
export const agentDirectory = () =>
  once('agent', async (directory) => {
    const made = await bundleAgent(directory);
    writeFileSync(join(directory, metafiles), JSON.stringify(made));
  });

/** Copies the agent's files to a directory. */
export async function copyAgent(to: string): Promise<void> {
  const from = await agentDirectory();
  for (const name of readdirSync(from)) if (name !== metafiles) copyFileSync(join(from, name), join(to, name));
}

/** What went into the agent's files. */
export async function agentMetafiles(): Promise<Metafile[]> {
  return JSON.parse(readFileSync(join(await agentDirectory(), metafiles), 'utf8'));
}

interface Bundle {
  /** @default 'node20' */
  readonly target?: string;
  /** Whether it carries files as text. @default false */
  readonly carries?: boolean;
}

async function bundle(source: string, { target = 'node20', carries = false }: Bundle = {}): Promise<string> {
  const name = `${source.replaceAll(/[^a-z0-9]+/gi, '-')}.cjs`;
  const directory = await once(name, async (made) => {
    const outfile = join(made, name);
    const plugins = carries ? [bundledText(), packedFolder] : [];
    await build({ ...shared, plugins, entryPoints: [source], format: 'cjs', target, outfile });
  });
  return join(directory, name);
}

/** The plugin as a script, with its parts beside it. */
export const pluginScript = async () =>
  join(await once('plugin', (directory) => bundlePlugin(join(directory, 'plugin.cjs'))), 'plugin.cjs');
/** A module that hands out speedscope's files. */
export const speedscopeScript = () =>
  bundle('src/plugin/commands/view/speedscope-files.ts', { target: 'node22', carries: true });
export const sidecarScript = () => bundle('src/sidecar/main.ts');
/** What attaching brings to a process; it runs on what containers have, so on older Nodes too. */
export const payloadScript = () => bundle('src/sidecar/payload.ts', { target: 'node18' });
/** Worker threads that offer parts of the agent to tests, as small as the agent is: names are kept by a helper that probes must not need. */
export const captureWorker = () => bundle('test/agent/captures/worker.ts');
/** preload.cjs and answer.cjs, which the first looks for beside itself. */
export const inspectDirectory = () =>
  once('inspect', (outdir) =>
    build({
      ...shared,
      entryPoints: ['test/inspect/harness/preload.ts', 'test/inspect/harness/answer.ts'],
      format: 'cjs',
      target: 'node20',
      outdir,
      outExtension: { '.js': '.cjs' },
    }),
  );
