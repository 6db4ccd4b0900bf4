/** What a bundle holds, as it grows: parts by subject, and what could not be had. */
import { asNodeopsError } from '../../../protocol/errors.ts';
import { schema } from '../../../protocol/wire.ts';
import type { Archive } from './archive.ts';

export interface FileEntry {
  /** In the bundle, with `/`. */
  readonly path: string;
  readonly what: string;
  readonly bytes: number;
}
export interface MissingEntry {
  readonly what: string;
  readonly reason: string;
}

/** manifest.json */
export interface Manifest {
  readonly schema: typeof schema;
  readonly kind: 'Bundle';
  readonly at: string;
  readonly pluginVersion: string | null;
  readonly subjects: readonly {
    /** `process`, `pod` or `doctor` */
    readonly kind: SubjectKind;
    readonly name: string;
    readonly files: readonly FileEntry[];
    readonly missing: readonly MissingEntry[];
  }[];
}
export type SubjectKind = 'process' | 'pod' | 'doctor';

/** Shown by index.html; the rest of a long one is in its file. */
export interface Shown {
  readonly what: string;
  readonly path: string;
  readonly text: string;
  /** Shown from its end, as a log is. */
  readonly tail: boolean;
  readonly cut: boolean;
}

/** Characters of one part on the page, and of all of them. */
const limitShown = 200_000;
const limitPage = 12_000_000;

/** What all subjects of a bundle share. */
export interface Surroundings {
  readonly archive: Archive;
  readonly mask: (text: string) => string;
  /** Characters that are still to be shown. */
  room: number;
}

export interface TextOptions {
  /** What the page shows in place of the file's own text. */
  readonly readable?: string;
  /** Whether the end matters more than the beginning. */
  readonly tail?: boolean;
  /** Whether secrets were taken out of both texts already, as is done before structured text is made. */
  readonly masked?: boolean;
}

export function surroundings(archive: Archive, mask: (text: string) => string): Surroundings {
  return { archive, mask, room: limitPage };
}

export class Subject {
  readonly kind: SubjectKind;
  readonly name: string;
  /** Figures at a glance. */
  readonly facts: (readonly [string, string])[] = [];
  readonly files: FileEntry[] = [];
  readonly missing: MissingEntry[] = [];
  readonly shown: Shown[] = [];
  readonly #folder: string;
  readonly #around: Surroundings;

  /** `folder` is where its files go, safe as a path. */
  constructor(kind: SubjectKind, name: string, folder: string, around: Surroundings) {
    this.kind = kind;
    this.name = name;
    this.#folder = folder;
    this.#around = around;
  }

  /** Adds one part. */
  async text(what: string, file: string, text: string, options: TextOptions = {}): Promise<void> {
    const { archive } = this.#around;
    const { tail = false, masked = false } = options;
    const mask = masked ? (already: string) => already : this.#around.mask;
    const path = `${this.#folder}/${file}`;
    const bytes = Buffer.from(mask(text));
    await archive.add(path, bytes);
    this.files.push({ path, what, bytes: bytes.length });
    const shown = mask(options.readable ?? text);
    const room = Math.min(limitShown, this.#around.room);
    const part = shown.length <= room ? shown : tail ? shown.slice(shown.length - room) : shown.slice(0, room);
    this.#around.room -= part.length;
    this.shown.push({ what, path, text: part, tail, cut: part.length < shown.length });
  }

  async file(what: string, file: string, source: string): Promise<void> {
    const path = `${this.#folder}/${file}`;
    const bytes = await this.#around.archive.addFile(path, source);
    this.files.push({ path, what, bytes });
  }

  lacks(what: string, reason: unknown): void {
    const said = typeof reason === 'string' ? reason : asNodeopsError(reason).message;
    this.missing.push({ what, reason: this.#around.mask(said) });
  }

  /** Does it, or lists why not; what is interrupted is not gone on with. */
  async try(what: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      this.lacks(what, error);
    }
  }
}

export function manifestOf(subjects: readonly Subject[], at: Date, pluginVersion: string | null): Manifest {
  return {
    schema,
    kind: 'Bundle',
    at: at.toISOString(),
    pluginVersion,
    subjects: subjects.map(({ kind, name, files, missing }) => ({ kind, name, files, missing })),
  };
}
