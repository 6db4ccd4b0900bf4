/** V8's tables from an offset in bytecode to a place in the script. */

/** Variable-length numbers, seven bits a byte, the lowest first. */
export class Numbers {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  /** Throws at the end, and where no number can be that long. */
  unsigned(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 128) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new RangeError('a number of more than 64 bits');
  }

  /** The sign is in the lowest bit. */
  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** The sign is in the lowest bit, and -1 is 3, not 1. */
  signMagnitude(): number {
    const value = this.unsigned();
    const magnitude = Math.floor(value / 2);
    return value % 2 === 0 ? magnitude : -magnitude;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.at++);
  }
}

/** How a table says how much further in the code its next entry is: until V8 14 with a sign that marks expressions, then above two bits. */
export type Steps = 'sign' | 'flags';

export interface Position {
  /** The character of the script. */
  readonly offset: number;
  /** Which inlined function it is in, as V8 numbers them; null for the function itself. */
  readonly inlined: number | null;
}

/** What the code at an offset comes from: of the last entry at or before it. Null for an empty table, or an entry without a place. */
export function positionAt(table: Buffer, codeOffset: number, steps: Steps): Position | null {
  const numbers = new Numbers(table);
  // the entry to the function itself has the offset before its first bytecode
  let [offset, position, found] = [-1, 0, null as number | null];
  try {
    while (!numbers.isAtEnd) {
      const step = steps === 'flags' ? Math.floor(numbers.unsigned() / 4) : numbers.signed();
      offset += step >= 0 ? step : -(step + 1);
      position += numbers.signed();
      if (offset > codeOffset) break;
      found = position;
    }
  } catch {
    return null;
  }
  return found === null ? null : unpack(found);
}

/** Bit 0 tells an external position, 30 bits the place and 16 the inlined function, both counted from 1. */
export function unpack(position: number): Position | null {
  if (position < 0 || position % 2 !== 0) return null;
  const offset = Math.floor(position / 2) % 2 ** 30;
  const inlined = Math.floor(position / 2 ** 31) % 2 ** 16;
  return offset === 0 ? null : { offset: offset - 1, inlined: inlined === 0 ? null : inlined - 1 };
}

/** Sizes of bytecodes, as the executable has them: a row each for plain, wide and extra wide operands. */
export interface BytecodeSizes {
  size(bytes: Buffer, at: number): number;
}

export function bytecodeSizes(table: Buffer): BytecodeSizes {
  const count = Math.floor(table.length / 3);
  return {
    size(bytes, at) {
      const first = bytes.readUInt8(at);
      // the first two bytecodes are prefixes that widen the operands of the next
      const prefix = first <= 1 ? 1 : 0;
      const scale = prefix === 0 ? 0 : first + 1;
      const code = bytes.readUInt8(at + prefix);
      const size = code < count ? table.readUInt8(scale * count + code) : 0;
      if (size === 0) throw new RangeError('no such bytecode');
      return prefix + size;
    },
  };
}

/** The bytecode that baseline code is in at an offset of a return address; null before the first, and where the tables do not fit. */
export function baselineOffset(
  table: Buffer,
  pcOffset: number,
  bytecodes: Buffer,
  sizes: BytecodeSizes,
): number | null {
  const numbers = new Numbers(table);
  try {
    let pcEnd = numbers.unsigned();
    if (pcOffset <= pcEnd) return null;
    for (let at = 0; at < bytecodes.length; at += sizes.size(bytecodes, at)) {
      pcEnd += numbers.unsigned();
      if (pcOffset <= pcEnd) return at;
    }
  } catch {}
  return null;
}
