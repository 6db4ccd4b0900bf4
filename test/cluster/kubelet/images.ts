/**
 * Container images without images: the reference decides the content. `distroless` has Node and its libraries and no shell;
 * anything else also has a shell and the usual programs of this machine; the tag's major picks the Node binary. Each kind is a
 * tree of read-only bind mounts, made once per cluster in its own mount namespace.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Json } from '../api/types.ts';
import { pace } from '../pace.ts';
import { findProgram } from './host.ts';
import { type Mount, mountAll, placeholder } from './mounts.ts';

/** A directory that is the content of an image, by reference: for image volumes, and on top of Node when a container runs it. */
export interface RegisteredImage {
  readonly directory: string;
  /** @default the path of its Node */
  readonly entrypoint?: readonly string[];
}

export interface Image {
  readonly id: string;
  readonly entrypoint: readonly string[];
  /** Whether a first argument that is a program replaces the entrypoint, as the official image's entry script does. */
  readonly entrypointYields: boolean;
  readonly uid: number;
  readonly gid: number;
  /** A root file system to mount from: directories to bind, and symbolic links. Undefined without namespaces. */
  readonly tree: string | undefined;
  /** The Node binary on this machine. */
  readonly node: string;
}

const programs =
  'sh bash dash tar ps cat env sleep ls grep egrep echo true false id kill head tail wc date hostname mkdir rm rmdir cp mv touch ' +
  'chmod chown stat sort tr cut sed seq dd printf test readlink realpath ln find xargs awk uname whoami sha256sum md5sum base64 ' +
  'basename dirname tee timeout yes uniq od du df mkfifo which nproc pwd expr gzip';

const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url));

/** The Node binary of a major version; undefined when it is not installed. */
export function nodeBinary(major: number): string | undefined {
  const file = join(modules, major === 24 ? 'node' : `node${major}`, 'bin/node');
  return existsSync(file) ? file : undefined;
}

const unreachable = /^[^/]+\.invalid(:\d+)?\//;

export class Images {
  readonly #directory: string;
  readonly #registered: Readonly<Record<string, RegisteredImage>>;
  readonly #mounted: boolean;
  readonly #trees = new Map<string, string>();

  constructor(directory: string, registered: Readonly<Record<string, RegisteredImage>>, mounted: boolean) {
    this.#mounted = mounted;
    this.#directory = directory;
    this.#registered = registered;
    // containers read it as users of their own, which a directory from mkdtemp does not allow
    for (const { directory: content } of Object.values(registered)) chmodSync(content, statSync(content).mode | 0o055);
  }

  registered(reference: string): RegisteredImage | undefined {
    return this.#registered[reference];
  }

  /** Whether a registry decides, and none is to be reached: images are on the node or nowhere. */
  mustAskRegistry({ image, imagePullPolicy }: Json): boolean {
    if (unreachable.test(image)) return true;
    return pace.isReal && imagePullPolicy === 'Always' && !this.#registered[image];
  }

  /** Undefined for a reference that cannot be pulled: any whose registry ends in `.invalid`. */
  pull(reference: string): Image | undefined {
    if (unreachable.test(reference)) return undefined;
    const major = Number(/:v?(\d+)/.exec(reference.split('/').at(-1)!)?.[1] ?? 24);
    const node = nodeBinary([20, 22, 24, 26].includes(major) ? major : 24) ?? process.execPath;
    const bare = reference.includes('distroless');
    const own = this.#registered[reference];
    const key = `${bare ? 'bare' : 'full'}-${createHash('sha256')
      .update(node + (own?.directory ?? ''))
      .digest('hex')
      .slice(0, 8)}`;
    let tree = this.#trees.get(key);
    if (!tree && this.#mounted) {
      tree = join(this.#directory, key);
      makeTree(tree, node, bare, own?.directory);
      this.#trees.set(key, tree);
    }
    return {
      id: `sha256:${createHash('sha256').update(reference).digest('hex')}`,
      entrypoint: own?.entrypoint ?? [bare ? '/nodejs/bin/node' : '/usr/bin/node'],
      entrypointYields: !bare && !own?.entrypoint,
      uid: 1000,
      gid: 1000,
      tree,
      node,
    };
  }
}

function makeTree(tree: string, node: string, bare: boolean, own: string | undefined): void {
  const mounts: Mount[] = [];
  const bind = (source: string, target: string) => {
    const file = join(tree, target);
    if (existsSync(file)) return;
    placeholder(file, statSync(source).isDirectory());
    mounts.push({ source, target: file, options: 'bind,ro' });
  };
  const link = (target: string, at: string) => {
    mkdirSync(dirname(join(tree, at)), { recursive: true });
    if (!existsSync(join(tree, at))) symlinkSync(target, join(tree, at));
  };
  for (const directory of ['usr/bin', 'usr/sbin', 'usr/local/bin', 'tmp', 'proc', 'sys', 'dev', 'etc', 'run', 'var'])
    mkdirSync(join(tree, directory), { recursive: true });
  for (const name of ['lib', 'lib64', 'usr/lib', 'usr/lib64']) {
    const at = `/${name}`;
    if (!existsSync(at)) continue;
    if (lstatSync(at).isSymbolicLink()) link(readlinkSync(at).replace(/^\//, ''), name);
    else if (bare) mkdirSync(join(tree, name), { recursive: true });
    else bind(at, name);
  }
  link('usr/bin', 'bin');
  link('usr/sbin', 'sbin');
  // distroless images have it where no PATH leads
  bind(node, bare ? 'nodejs/bin/node' : 'usr/bin/node');
  if (bare) for (const library of librariesOf(node)) bind(realpathSync(library), library);
  if (!bare) {
    link('../../bin/node', 'usr/local/bin/node');
    link('../../usr/bin/node', 'nodejs/bin/node');
  }
  if (!bare)
    for (const name of programs.split(' ')) {
      const found = findProgram(name);
      if (found) bind(realpathSync(found), `usr/bin/${name}`);
    }
  if (own) for (const name of readdirSync(own)) bind(join(own, name), name);
  mountAll(mounts, join(tree, '..', 'fstab'));
}

function librariesOf(binary: string): string[] {
  const listed = execFileSync(findProgram('ldd') ?? 'ldd', [binary], { encoding: 'utf8' });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
}
