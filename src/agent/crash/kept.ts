/**
 * What outlives the process: `crash/` and `triggers/` in this user's part of NODEOPS_ARTIFACTS_DIR. Written beside and renamed,
 * the oldest removed for the newest. Synchronous, for a process that is about to end, and so that a volume that hangs holds
 * no thread of the app's pool.
 */
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { KeptArtifact } from '../../protocol/history.ts';
import { openDirectory } from '../jobs/directory.ts';

export interface KeptSettings {
  /** NODEOPS_ARTIFACTS_DIR. */
  readonly base: string;
  readonly limitBytes: number;
}

export const folders = ['crash', 'triggers'] as const;
export type Folder = (typeof folders)[number];
/** Files of both folders together. */
const filesKept = 200;
const name = /^(?:crash|triggers)\/[A-Za-z0-9][\w.-]{0,200}$/;
/** What is left free of a disk that the app shares. */
const reserveShare = 0.05;
const partMs = 60_000;

export class Kept {
  readonly directory: string;
  readonly limitBytes: number;

  /** Throws what the file system throws, or an Error that says what is wrong with the directory. */
  constructor({ base, limitBytes }: KeptSettings) {
    this.directory = openDirectory(base);
    this.limitBytes = limitBytes;
    for (const folder of folders) {
      const path = join(this.directory, folder);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      if (!lstatSync(path).isDirectory()) throw new Error(`${path} is not a directory`);
    }
  }

  /** Newest first. */
  list(): KeptArtifact[] {
    return folders
      .flatMap((folder) =>
        readdirSync(join(this.directory, folder)).flatMap((file) => {
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
    if (found) unlinkSync(found.path);
    return found !== undefined;
  }

  /** Keeps a text under that name, in place of one that has it. Throws when there is no room, and leaves nothing half-written. */
  write(wanted: string, text: string): void {
    if (!name.test(wanted)) throw new TypeError(`${wanted} is no name of a kept file`);
    const bytes = Buffer.from(text);
    this.makeRoom(bytes.length);
    const path = join(this.directory, wanted);
    writeAtomically(path, bytes);
  }

  /** Removes the oldest until so many more bytes fit. Throws when they never will. */
  makeRoom(bytes: number): void {
    const { bavail, blocks, bsize } = statfsSync(this.directory);
    let free = (bavail - blocks * reserveShare) * bsize;
    const all = this.list();
    let used = all.reduce((sum, file) => sum + file.bytes, 0);
    let oldest = all.pop();
    for (
      ;
      oldest && (used + bytes > this.limitBytes || free < bytes || all.length >= filesKept - 1);
      oldest = all.pop()
    ) {
      this.remove(oldest.name);
      used -= oldest.bytes;
      free += oldest.bytes;
    }
    if (used + bytes > this.limitBytes || free < bytes) throw new Error(`no room for ${bytes} bytes`);
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

  /** Removes what was being written by processes that ended. */
  sweep(): void {
    for (const folder of folders)
      for (const file of readdirSync(join(this.directory, folder))) {
        const path = join(this.directory, folder, file);
        if (file.endsWith('.part') && Date.now() - lstatSync(path).mtimeMs > partMs) unlinkSync(path);
      }
  }
}

/** `PATH.part`, hidden from whoever lists, and then the name. */
export function writeAtomically(path: string, bytes: Uint8Array): void {
  const part = path.replace(/[^/]*$/, (file) => `.${file}.${process.pid}.${process.hrtime.bigint()}.part`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;
  const file = openSync(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    } finally {
      closeSync(file);
    }
    renameSync(part, path);
  } catch (error) {
    unlinkSync(part);
    throw error;
  }
}
