/** V8's heap objects, read out of another thread's or process's memory. What does not check is null: nothing is guessed. */
import type { Layout } from './layout.ts';
import { isAddress, type Memory, wordAt } from './memory.ts';

/** The longest name of a function or script that is shown whole. */
const nameCharacters = 1024;
/** A string made of more parts than that is not followed. */
const maxParts = 16;

export class Heap {
  readonly layout: Layout;
  readonly memory: Memory;
  readonly #types = new Map<number, number | null>();

  constructor(memory: Memory, layout: Layout) {
    this.memory = memory;
    this.layout = layout;
  }

  /** The object at a tagged pointer, as the address of its first byte; where the collector has moved it, the new one. */
  object(tagged: number | null, ...types: number[]): number | null {
    const at = tagged === null ? null : untag(tagged);
    if (at === null) return null;
    const moved = this.#movedTo(at) ?? at;
    const type = this.#typeAt(moved);
    if (type === null) return null;
    return types.length === 0 || types.includes(type) ? moved : null;
  }

  /** The instance type of the object at an address. */
  typeOf(at: number): number | null {
    return this.#typeAt(at);
  }

  field(at: number, offset: number): number | null {
    const bytes = this.memory.read(at + offset, 8);
    return bytes && wordAt(bytes, 0);
  }

  /** A small integer, which V8 keeps in the upper half of a word. */
  smi(at: number, offset: number): number | null {
    const bytes = this.memory.read(at + offset, 8);
    return bytes && bytes.readUInt32LE(0) === 0 ? bytes.readInt32LE(4) : null;
  }

  integer(at: number, offset: number): number | null {
    return this.memory.read(at + offset, 4)?.readInt32LE(0) ?? null;
  }

  isString(at: number): boolean {
    const type = this.#typeAt(at);
    return type !== null && type < this.layout.firstNonString;
  }

  /** The characters of a string from `start`, at most `limit`; null where it is no string. */
  text(tagged: number | null, start = 0, limit = nameCharacters): string | null {
    const at = this.object(tagged);
    if (at === null || !this.isString(at)) return null;
    return this.#characters(at, start, limit, 0);
  }

  length(at: number): number | null {
    const length = this.integer(at, this.layout.stringLength);
    return length !== null && length >= 0 && length <= 2 ** 30 ? length : null;
  }

  #characters(at: number, start: number, limit: number, depth: number): string | null {
    const { layout } = this;
    const type = this.#typeAt(at);
    const length = this.length(at);
    if (type === null || type >= layout.firstNonString || length === null || depth > maxParts) return null;
    const count = Math.max(0, Math.min(limit, length - start));
    const nested = (offset: number, from: number, most: number): string | null => {
      const part = this.object(this.field(at, offset));
      return part === null ? null : this.#characters(part, from, most, depth + 1);
    };
    switch (type & 7) {
      case 0:
        return this.#decode(at + layout.chars, type, start, count);
      case 1: {
        const first = nested(layout.consFirst, start, count);
        if (first === null || first.length >= count) return first;
        const firstAt = this.object(this.field(at, layout.consFirst));
        const firstLength = firstAt === null ? null : this.length(firstAt);
        if (firstLength === null) return null;
        const rest = nested(layout.consSecond, Math.max(0, start - firstLength), count - first.length);
        return rest === null ? null : first + rest;
      }
      case 2: {
        // the pointer to the characters is kept after the one to the resource
        const data = (type & 16) === 0 ? this.field(at, layout.externalResource + 8) : null;
        return data === null || !isAddress(data) ? null : this.#decode(data, type, start, count);
      }
      case 3: {
        const offset = this.smi(at, layout.slicedOffset);
        return offset === null || offset < 0 ? null : nested(layout.slicedParent, start + offset, count);
      }
      case 5:
        return nested(layout.thinActual, start, count);
      default:
        return null;
    }
  }

  #decode(data: number, type: number, start: number, count: number): string | null {
    if (count === 0) return '';
    const isOneByte = (type & 8) !== 0;
    if (isOneByte) return this.memory.read(data + start, count)?.toString('latin1') ?? null;
    return this.memory.read(data + start * 2, count * 2)?.toString('utf16le') ?? null;
  }

  #typeAt(at: number): number | null {
    const map = this.field(at, this.layout.map);
    return map === null ? null : this.typeByMap(map);
  }

  /** The instance type that a map tells, given the tagged pointer to it. */
  typeByMap(map: number): number | null {
    const known = this.#types.get(map);
    if (known !== undefined) return known;
    const type = this.#typeOfMap(map);
    this.#types.set(map, type);
    return type;
  }

  /** What is a Map has a map that is one: without that any word could pass for one. */
  #typeOfMap(tagged: number): number | null {
    const { layout } = this;
    const map = untag(tagged);
    const meta = map === null ? null : untag(this.field(map, layout.map) ?? 0);
    if (map === null || meta === null) return null;
    const type = (at: number): number | null =>
      this.memory.read(at + layout.mapInstanceType, 2)?.readUInt16LE(0) ?? null;
    return type(meta) === layout.mapType ? type(map) : null;
  }

  /** While the collector moves objects, the first word of one that has moved is its new address, without a tag. */
  #movedTo(at: number): number | null {
    const first = this.field(at, this.layout.map);
    return first !== null && first % 8 === 0 && isAddress(first) ? first : null;
  }
}

export function untag(tagged: number): number | null {
  return tagged % 8 === 1 && isAddress(tagged) ? tagged - 1 : null;
}
