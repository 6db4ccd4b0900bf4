/** What an executable is: Node and which, Go and which, or neither. Each file is looked into once. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isNodeName } from './command-line.ts';
import { goVersionOf } from './go-version.ts';
import { nodeVersionOf } from './node-version.ts';

export interface Runtime {
  readonly kind: 'node' | 'go';
  /** null where it cannot be read */
  readonly version: string | null;
}

/** A Node under another name, such as a single executable, is at least this large. */
const nodeLeastBytes = 32 * 1024 * 1024;

export class Executables {
  readonly #node = new Map<string, Promise<string | undefined>>();
  readonly #go = new Map<string, Promise<string | undefined>>();

  /** `file` is how it is opened (`/proc/PID/exe`), `path` what it is called. undefined when it is no Node. */
  async node(file: string, path: string, procDir: string): Promise<Runtime | undefined> {
    const named = isNodeName(basename(path));
    const read = (handle: FileHandle, size: number) =>
      named || size >= nodeLeastBytes ? nodeVersionOf(handle) : Promise.resolve(undefined);
    const version = (await this.#look(this.#node, file, read)) ?? (named ? await this.#shared(procDir) : undefined);
    return version === undefined && !named ? undefined : { kind: 'node', version: version ?? null };
  }

  /** The Go version; undefined when it is no Go program that says so. */
  go(file: string): Promise<string | undefined> {
    return this.#look(this.#go, file, goVersionOf);
  }

  /** Some distributions put Node into a library that a small `node` loads. */
  async #shared(procDir: string): Promise<string | undefined> {
    const maps = await readFile(`${procDir}/maps`, 'utf8').catch(() => '');
    const library = /\s(\/\S*\/libnode\.so[.\d]*)$/m.exec(maps)?.[1];
    return library && this.#look(this.#node, `${procDir}/root${library}`, nodeVersionOf);
  }

  async #look(
    known: Map<string, Promise<string | undefined>>,
    path: string,
    read: (file: FileHandle, size: number) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const file = await open(path).catch(() => undefined);
    if (!file) return undefined;
    try {
      const { dev, ino, size, mtimeMs } = await file.stat();
      const key = `${dev}:${ino}:${size}:${mtimeMs}`;
      const version = known.get(key) ?? read(file, size).catch(() => undefined);
      known.set(key, version);
      return await version;
    } finally {
      await file.close();
    }
  }
}
