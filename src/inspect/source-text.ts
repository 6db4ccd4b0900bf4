/** Pieces of source where something runs: what V8 gives no frame of its own (JSON.parse, new Intl…) stands in the text. */
import { readFileSync, statSync } from 'node:fs';

const fileBytes = 8 * 1024 * 1024;
const filesRead = 16;
const lineChars = 160;
/** A line that is longer was written by a bundler: only what stands near the column says something. */
const longLine = 400;

/** One for one reply: it keeps what it read. Read at once: the pool that would wait for it is the app's. */
export class SourceText {
  readonly #root: string;
  readonly #files = new Map<string, string[] | null>();

  /** `root`: directory that paths of the process start from, such as `/proc/PID/root`. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Line and column from 1; of a long line what follows the column. Undefined where the file cannot be read. */
  at(file: string, line: number, column: number): string | undefined {
    const text = this.#lines(file)?.[line - 1];
    if (text === undefined) return undefined;
    const piece = text.length > longLine ? text.slice(Math.max(0, column - 1)) : text;
    return piece.trim().slice(0, lineChars) || undefined;
  }

  #lines(file: string): string[] | null {
    const known = this.#files.get(file);
    if (known !== undefined || !file.startsWith('/') || this.#files.size >= filesRead) return known ?? null;
    let lines: string[] | null = null;
    try {
      const path = this.#root + file;
      if (statSync(path).size <= fileBytes) lines = readFileSync(path, 'utf8').split('\n');
    } catch {
      // gone, or not ours to read
    }
    this.#files.set(file, lines);
    return lines;
  }
}
