/**
 * What outlives the process: `crash/` and `triggers/` in this user's part of NODEOPS_ARTIFACTS_DIR. Written beside and renamed,
 * the oldest removed for the newest. Synchronous, for a process that is about to end, and so that a volume that hangs holds
 * no thread of the app's pool.
 */
import {
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { KeptArtifact } from '../../protocol/history.ts';
import { makeDirectory } from '../../protocol/make-directory.ts';
import type { KeptSettings } from '../settings/kept-settings.ts';
import { openDirectory } from '../store/directory.ts';
import { exclusively } from '../store/lock.ts';
import { isRunning, ownPrefix } from '../store/owner.ts';
import { discard, filesIn, makeRoom, onDisk, type StoredFile } from '../store/room.ts';

export const folders = ['crash', 'triggers'] as const;
export type Folder = (typeof folders)[number];
/** Files of both folders together. */
const filesKept = 200;
const name = /^(?:crash|triggers)\/[A-Za-z0-9][\w.-]{0,200}$/;

/** Whether a name is one of a kept file: not of what is being written, and of nothing outside of the two folders. */
export function isKeptName(wanted: string): boolean {
  return name.test(wanted);
}

/** What is being written by a process that cannot be looked up is left over after this. */
const partMs = 60_000;
const part = /\.part$/;

export class Kept {
  readonly directory: string;
  readonly limitBytes: number;

  readonly #base: string;

  /** Throws what the file system throws, or an Error that says what is wrong with the directory. */
  constructor({ base, limitBytes }: KeptSettings) {
    this.#base = base;
    this.limitBytes = limitBytes;
    this.directory = this.#open();
  }

  #open(): string {
    const directory = openDirectory(this.#base);
    for (const folder of folders) {
      const path = join(directory, folder);
      makeDirectory(path);
      if (!lstatSync(path).isDirectory()) throw new Error(`${path} is not a directory`);
    }
    return directory;
  }

  /** Newest first. */
  list(): KeptArtifact[] {
    return folders
      .flatMap((folder) =>
        namesIn(join(this.directory, folder)).flatMap((file) => {
          const found = this.#look(`${folder}/${file}`);
          return found ?? [];
        }),
      )
      .sort((one, other) => other.at.localeCompare(one.at) || other.name.localeCompare(one.name));
  }

  /** Where a file is; undefined for what is not kept here. */
  find(wanted: string): (KeptArtifact & { path: string }) | undefined {
    const found = this.#look(wanted);
    return found && { ...found, path: join(this.directory, wanted) };
  }

  /** Removes one; returns whether it was there. */
  remove(wanted: string): boolean {
    const found = this.find(wanted);
    if (found) discard(found.path);
    return found !== undefined;
  }

  /** Keeps a text under that name, in place of one that has it. Throws when there is no room, and leaves nothing half-written. */
  write(wanted: string, text: string): void {
    if (!name.test(wanted)) throw new TypeError(`${wanted} is no name of a kept file`);
    this.put(wanted, text);
  }

  /** The same under a name that is not listed; not at all where `may` says so when the rest is done. Returns what it said. */
  put(path: string, text: string, may: () => boolean = () => true): boolean {
    try {
      return this.#put(path, text, may);
    } catch (error) {
      if (!isGone(error)) throw error;
      // somebody has emptied the volume: it begins anew
      this.#open();
      return this.#put(path, text, may);
    }
  }

  #put(path: string, text: string, may: () => boolean): boolean {
    const bytes = Buffer.from(text);
    const whole = join(this.directory, path);
    const written = join(dirname(whole), `.${basename(whole)}.${ownPrefix()}${process.hrtime.bigint()}.part`);
    const file = exclusively(this.directory, () => {
      this.makeRoom(bytes.length);
      const opened = create(written);
      // as long as it will be, so that others count it
      ftruncateSync(opened, bytes.length);
      return opened;
    });
    return finish(file, written, bytes, () =>
      exclusively(this.directory, () => {
        const does = may();
        if (does) renameSync(written, whole);
        else unlinkSync(written);
        return does;
      }),
    );
  }

  /** Removes the oldest until so many more bytes fit. In turn; throws when they never will. */
  makeRoom(bytes: number): void {
    const places = this.#places();
    for (const left of filesIn(places)) if (isLeft(left)) discard(left.path);
    const wanted = onDisk(bytes);
    const room = makeRoom({
      folders: places,
      limitBytes: this.limitBytes,
      bytes: wanted,
      files: filesKept,
      mayGo: ({ name }) => !name.startsWith('.'),
    });
    if (room < wanted) throw new Error(`no room for ${bytes} bytes`);
  }

  #places(): string[] {
    return folders.map((folder) => join(this.directory, folder));
  }

  #look(wanted: string): KeptArtifact | undefined {
    if (!name.test(wanted)) return undefined;
    try {
      const found = lstatSync(join(this.directory, wanted));
      if (!found.isFile()) return undefined;
      return { name: wanted, bytes: found.size, at: found.mtime.toISOString() };
    } catch {
      // removed by somebody else meanwhile
      return undefined;
    }
  }
}

/** Whether a file was being written by a process that has ended. */
function isLeft({ name: file, modifiedMs }: StoredFile): boolean {
  if (!part.test(file)) return false;
  const [, owner] = /\.(\w+-\d+-\d+-)\d+\.part$/.exec(file) ?? [];
  return !((owner && isRunning(owner)) ?? Date.now() - modifiedMs <= partMs);
}

function isGone(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** None in a folder that somebody has removed. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function create(path: string): number {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/** Fills a new file; `done` gives it its name. Nothing is left of it when that fails. */
function finish<T>(file: number, path: string, bytes: Uint8Array, done: () => T): T {
  try {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    } finally {
      closeSync(file);
    }
    return done();
  } catch (error) {
    discard(path);
    throw error;
  }
}

/** `PATH.part`, hidden from whoever lists, and then the name. */
export function writeAtomically(path: string, bytes: Uint8Array): void {
  const written = path.replace(/[^/]*$/, (file) => `.${file}.${process.pid}.${process.hrtime.bigint()}.part`);
  finish(create(written), written, bytes, () => renameSync(written, path));
}
