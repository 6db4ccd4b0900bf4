/** The npm package `nodeops`: the agent as a library, and the plugin as a program. Nothing to install with it. */
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { manName, manPage } from './man.ts';
import { sourceDate } from './release/date.ts';

export interface PackageParts {
  /** What scripts/agent-bundle.ts wrote. */
  readonly agentFolder: string;
  /** What scripts/plugin-bundle.ts wrote, and what went into it. */
  readonly plugin: string;
  readonly metafiles: readonly Metafile[];
  readonly chunks: readonly string[];
  /** Where the package is put together. */
  readonly output: string;
}

const agentFiles = ['preload.cjs', 'index.cjs', 'index.mjs', 'index.d.cts', 'index.d.mts'];

/** The library runs on older ones than the program: said by the program itself. */
export const programNode = [22, 19] as const;
const program = `#!/usr/bin/env node
'use strict';
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > ${programNode[0]} || (major === ${programNode[0]} && minor >= ${programNode[1]})) require('../plugin.cjs');
else {
  console.error(\`nodeops: needs Node.js ${programNode.join('.')} or newer, and this is \${process.version}; the agent library runs on 20\`);
  process.exitCode = 1;
}
`;

/** Writes the folder that `npm publish` takes. */
export async function writePackage({ agentFolder, plugin, metafiles, chunks, output }: PackageParts): Promise<void> {
  await Promise.all(['bin', 'chunks', 'man'].map((folder) => mkdir(join(output, folder), { recursive: true })));
  await Promise.all([
    ...agentFiles.map((name) => copyFile(join(agentFolder, name), join(output, name))),
    ...['README.md', 'LICENSE'].map((name) => copyFile(name, join(output, name))),
    copyFile(plugin, join(output, 'plugin.cjs')),
    ...chunks.map((name) => copyFile(join(plugin, '../chunks', name), join(output, 'chunks', name))),
    writeFile(join(output, 'bin/nodeops.cjs'), program),
    writeFile(join(output, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`),
    writeFile(join(output, 'THIRD-PARTY-LICENSES'), await licenses(metafiles)),
    writeFile(join(output, 'man', manName), await man()),
  ]);
  await chmod(join(output, 'bin/nodeops.cjs'), 0o755);
}

async function manifest(): Promise<object> {
  const { name, version, description, license } = JSON.parse(await readFile('package.json', 'utf8'));
  return {
    ...{ name, version, description, license },
    keywords: ['gops', 'kubernetes', 'kubectl-plugin', 'diagnostics', 'profiling', 'heap-snapshot', 'inspector'],
    engines: { node: '>=20' },
    bin: { nodeops: 'bin/nodeops.cjs', 'kubectl-nodeops': 'bin/nodeops.cjs' },
    man: `man/${manName}`,
    main: './index.cjs',
    module: './index.mjs',
    types: './index.d.cts',
    exports: {
      '.': {
        import: { types: './index.d.mts', default: './index.mjs' },
        require: { types: './index.d.cts', default: './index.cjs' },
      },
      './preload': './preload.cjs',
      './preload.cjs': './preload.cjs',
      './package.json': './package.json',
    },
  };
}

async function man(): Promise<string> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  return manPage({ version, date: await sourceDate(), errors: await readFile('docs/errors.md', 'utf8') });
}

/** The folders of the npm packages that went into bundles. */
export function bundledFolders(metafiles: readonly Metafile[]): string[] {
  const folders = metafiles
    .flatMap(({ inputs }) => Object.keys(inputs))
    .map((path) => /^(?:[\w-]+:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/** The licence texts of what is inside the plugin's bundle. */
async function licenses(metafiles: readonly Metafile[]): Promise<string> {
  const texts = await Promise.all(bundledFolders(metafiles).map(license));
  return texts.join(`\n${'-'.repeat(78)}\n\n`);
}

async function license(folder: string): Promise<string> {
  const { name, version, license: terms } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(?:\.|$)/i.test(entry));
  const text = file === undefined ? '' : `\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`;
  return `${name} ${version} (${terms})\n${text}`;
}
