import type { Offsets } from './offsets.ts';
import type { ByteSource } from './source.ts';

/** Texts longer than this are cut: V8 itself writes no more than 1,024 characters of a string. */
const limitBytes = 8 * 1024;
const limitCached = 20_000;

/** The strings of a snapshot, each read from the file when somebody asks. */
export class StringTable {
  readonly #source: ByteSource;
  readonly #offsets: Offsets;
  readonly #cache = new Map<number, string>();

  constructor(source: ByteSource, offsets: Offsets) {
    this.#source = source;
    this.#offsets = offsets;
  }

  get length(): number {
    return this.#offsets.length;
  }

  get(index: number): string {
    const cached = this.#cache.get(index);
    if (cached !== undefined) return cached;
    if (!(index >= 0 && index < this.#offsets.length)) return '(no such string)';
    const text = this.#read(this.#offsets.get(index));
    if (this.#cache.size >= limitCached) this.#cache.clear();
    this.#cache.set(index, text);
    return text;
  }

  #read(at: number): string {
    for (let size = 256; ; size *= 8) {
      const bytes = Buffer.alloc(Math.min(size, limitBytes));
      const filled = bytes.subarray(0, this.#source.read(bytes, at));
      const end = closingQuote(filled);
      if (end < 0 && size < limitBytes && filled.length === bytes.length) continue;
      return decode(filled.subarray(0, end < 0 ? filled.length : end));
    }
  }
}

function closingQuote(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++)
    if (bytes[at] === 0x5c) at++;
    else if (bytes[at] === 0x22) return at;
  return -1;
}

/** What was cut inside an escape is shown as it is. */
function decode(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}
