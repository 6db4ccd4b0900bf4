/** The plugin for each platform: an executable, or the script with a launcher. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scripts } from '../../src/plugin/commands/completion/scripts.ts';
import { buildExecutable } from '../executable.ts';
import { manName, manPage } from '../man.ts';
import { programNode } from '../package.ts';
import { type Effort, type Entry, fileEntry, writeArchives } from './archive.ts';
import { archiveName, executableName, type Platform, scriptName } from './platforms.ts';
import { nodeFor } from './runtime.ts';

export interface CommandOptions {
  readonly version: string;
  readonly date: Date;
  readonly effort: Effort;
  readonly platforms: readonly Platform[];
}

/** Writes `kubectl-nodeops_VERSION_OS_ARCH.{tar.gz,tar.zst,zip}` and `kubectl-nodeops_VERSION_script.tar.gz`. */
export async function writeCommandArchives(
  output: string,
  { version, date, effort, platforms }: CommandOptions,
): Promise<void> {
  const beside = await besides(version, date);
  const script = await scriptEntries();
  await writeArchives(join(output, scriptName(version)), ['tar.gz'], [...script, ...beside], { date, effort });
  for (const platform of platforms) {
    const own = platform.node === undefined ? script : await executableEntries(platform);
    const kinds = platform.os === 'windows' ? (['zip'] as const) : unixKinds[effort];
    const entries = [...own, ...beside];
    await writeArchives(join(output, archiveName(version, platform)), kinds, entries, { date, effort });
  }
}

const unixKinds = { best: ['tar.gz', 'tar.zst'], quick: ['tar.gz'] } as const;

async function besides(version: string, date: Date): Promise<Entry[]> {
  const errors = await readFile('docs/errors.md', 'utf8');
  const text = (name: string, content: string): Entry => ({ name, content: Buffer.from(content) });
  return [
    await fileEntry('LICENSE', 'LICENSE'),
    await fileEntry('README.md', 'README.md'),
    await fileEntry('THIRD-PARTY-LICENSES', 'dist/npm/THIRD-PARTY-LICENSES'),
    text('completions/nodeops.bash', scripts.bash),
    text('completions/_nodeops', scripts.zsh),
    text('completions/nodeops.fish', scripts.fish),
    text(`man/${manName}`, manPage({ version, date, errors })),
  ];
}

async function executableEntries(platform: Platform): Promise<Entry[]> {
  const name = executableName(platform);
  const license = await fileEntry('LICENSE-NODE', 'node_modules/node26/LICENSE');
  if (platform.node === 'own')
    return [{ ...(await fileEntry(name, 'dist/kubectl-nodeops')), executable: true }, license];
  const output = `dist/cross/${platform.os}-${platform.arch}/${name}`;
  const chunks = await readdir('dist/chunks');
  await buildExecutable({ bundle: 'dist/plugin.cjs', chunks, output, node: await nodeFor(platform.node!) });
  return [{ ...(await fileEntry(name, output)), executable: true }, license];
}

const [major, minor] = programNode;

/** A shell script that starts itself as JavaScript: a shell can say in a sentence that there is no Node. */
const launcher = `#!/bin/sh
':' //; command -v node >/dev/null 2>&1 || { echo 'nodeops: needs Node.js ${major}.${minor} or newer on the PATH, or the executable instead of this script' >&2; exit 1; }
':' //; unset NODE_OPTIONS; exec node "$0" "$@"
'use strict';
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > ${major} || (major === ${major} && minor >= ${minor})) require('./lib/plugin.cjs');
else {
  console.error(\`nodeops: needs Node.js ${major}.${minor} or newer, and this is \${process.version}\`);
  process.exitCode = 1;
}
`;

async function scriptEntries(): Promise<Entry[]> {
  const chunks = (await readdir('dist/chunks')).sort();
  return [
    { name: 'kubectl-nodeops', content: Buffer.from(launcher), executable: true },
    // the launcher has no ending that says what it is
    { name: 'package.json', content: Buffer.from('{ "type": "commonjs" }\n') },
    { name: 'lib/plugin.cjs', content: await readFile('dist/plugin.cjs') },
    ...(await Promise.all(chunks.map((name) => fileEntry(`lib/chunks/${name}`, join('dist/chunks', name))))),
  ];
}
