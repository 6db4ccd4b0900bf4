import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, mkdtemp, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Node 26 builds single executables by itself and lets them ignore the operator's NODE_OPTIONS. */
const node26 = resolve('node_modules/node26/bin/node');

/** Where the parts of an executable lie while it is put together: their paths are in its bytes. */
const stageMount = '/mnt';

/** What differs between two runs of the same Node on the same text is told to be the same. */
const predictable = ['--hash-seed=1', '--random-seed=1', '--predictable', '--single-threaded'];

export interface ExecutableParts {
  /** The plugin's script; its parts are in the folder `chunks` beside it. */
  readonly bundle: string;
  readonly chunks: readonly string[];
  readonly output: string;
  /** Node for another platform, of the version of `node26`; it starts without a snapshot. @default this platform's */
  readonly node?: string;
}

/**
 * Makes one executable of a CommonJS bundle and its parts: a single executable where Node 26 is installed for this platform, else a
 * script that needs Node ≥ 22.19 on the PATH.
 */
export async function buildExecutable({ bundle, chunks, output, node }: ExecutableParts): Promise<void> {
  if (!existsSync(node26)) {
    // the script finds its parts in the folder beside it
    await writeFile(output, `#!/usr/bin/env node\n${await readFile(bundle, 'utf8')}`);
    await chmod(output, 0o755);
    return;
  }
  await mkdir(dirname(output), { recursive: true });
  // beside the output: links and renames instead of copies of 150 MB
  const stage = await mkdtemp(join(resolve(dirname(output)), `.${basename(output)}-`));
  try {
    await mkdir(join(stage, 'chunks'));
    await Promise.all([
      place(node26, join(stage, 'builder')),
      stripped(node ?? node26).then((path) => place(path, join(stage, 'node'))),
      copyFile(bundle, join(stage, 'plugin.cjs')),
      ...chunks.map((name) => copyFile(resolve(bundle, '../chunks', name), join(stage, 'chunks', name))),
    ]);
    await assemble(stage, chunks, node === undefined);
    await chmod(join(stage, 'output'), 0o755);
    await rename(join(stage, 'output'), output);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** A link where the file system can, else a copy. */
const place = (from: string, to: string) => link(from, to).catch(() => copyFile(from, to));

async function assemble(stage: string, chunks: readonly string[], useSnapshot: boolean): Promise<void> {
  const isolated = await canIsolate(stage);
  const at = (name: string) => join(isolated ? stageMount : stage, name);
  const config = {
    ...{ main: at('plugin.cjs'), output: at('output'), executable: at('node'), useSnapshot },
    ...{ disableExperimentalSEAWarning: true, execArgvExtension: 'none' },
    assets: Object.fromEntries(chunks.map((name) => [name, at(`chunks/${name}`)])),
  };
  await writeFile(join(stage, 'config.json'), JSON.stringify(config));
  // a snapshot is made by running the bundle once; Node warns of modules it has not tried in one
  const builder = [at('builder'), '--no-warnings', ...predictable, '--build-sea', at('config.json')];
  const env = { PATH: process.env.PATH };
  const [file, ...args] = isolated ? ['unshare', ...isolation, 'sh', '-c', mounted, 'sh', stage, ...builder] : builder;
  await run(file!, args, { env }).catch(explain);
}

/** Node 26 is linked to a library that a small Debian has not. */
function explain(error: Error & { readonly stderr?: string }): never {
  const library = /(\S+\.so\S*): cannot open shared object file/.exec(error.stderr ?? '')?.[1];
  if (library === undefined) throw error;
  const how = library.startsWith('libatomic') ? ' (Debian, Ubuntu: apt-get install libatomic1)' : '';
  throw new Error(`Node.js 26, which makes the executable, does not start: ${library} is not installed${how}`);
}

/** Paths and process ids are in a snapshot: the same ones everywhere, in namespaces of its own. */
const isolation = ['--user', '--map-root-user', '--mount', '--pid', '--fork'];
const mounted = `mount --bind "$1" ${stageMount} && shift && cd ${stageMount} && exec "$@"`;

async function canIsolate(stage: string): Promise<boolean> {
  const probe = run('unshare', [...isolation, 'mount', '--bind', stage, stageMount]);
  return probe.then(
    () => true,
    () => false,
  );
}

const cache = resolve('node_modules/.cache/nodeops');

/** A fifth of Node for Linux is names of its functions; Mach-O and PE have few, and a signature that would go with them. */
async function stripped(node: string): Promise<string> {
  if (!(await isElf(node))) return node;
  const { size, mtimeMs } = await stat(node);
  const output = join(cache, `node-${size}-${Math.trunc(mtimeMs)}-stripped`);
  if (existsSync(output)) return output;
  await mkdir(cache, { recursive: true });
  const part = `${output}.${process.pid}`;
  await copyFile(node, part);
  await chmod(part, 0o755);
  for (const tool of ['llvm-strip', 'strip'])
    try {
      await run(tool, [part]);
      await rename(part, output);
      return output;
    } catch {
      // not installed, or not for this processor
    }
  await rm(part, { force: true });
  return node;
}

async function isElf(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1') === '\x7fELF';
  } finally {
    await file.close();
  }
}
