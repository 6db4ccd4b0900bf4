/** A process's memory. Addresses are plain numbers: user space ends at 2^47 on x64 and at 2^48 on arm64. */
export interface Memory {
  /** The bytes there, or null where they cannot all be read. Never throws. */
  read(address: number, length: number): Buffer | null;
}

/** Addresses below are never mapped; above lies the kernel. */
const lowest = 0x10000;
const highest = 2 ** 48;

export function isAddress(value: number): boolean {
  return value >= lowest && value < highest;
}

/** The 64-bit word at an offset. Words that are no address may lose their low bits: compare them with `isAddress` first. */
export function wordAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

const page = 4096;
/** What is read in one go and kept is of this many pages at most. */
const maxPages = 4096;

/** Keeps the pages that small reads touched: heap objects lie together, and each read is a call to the kernel. */
export class PageCache implements Memory {
  readonly #memory: Memory;
  readonly #pages = new Map<number, Buffer | null>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  read(address: number, length: number): Buffer | null {
    const offset = address % page;
    if (offset + length > page || !isAddress(address)) return this.#memory.read(address, length);
    const start = address - offset;
    let bytes = this.#pages.get(start);
    if (bytes === undefined) {
      if (this.#pages.size >= maxPages) this.#pages.clear();
      bytes = this.#memory.read(start, page);
      this.#pages.set(start, bytes);
    }
    return bytes?.subarray(offset, offset + length) ?? null;
  }
}
