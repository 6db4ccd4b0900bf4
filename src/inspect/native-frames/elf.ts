/** Symbols of a 64-bit little-endian ELF file, found without reading whole tables: a debug build of Node has 25 MB of them. */
export interface FileBytes {
  /** The bytes there, read into that buffer if one is given; fewer at the end of the file. */
  read(offset: number, length: number, into?: Buffer): Buffer;
}

export interface ElfSymbol {
  readonly address: number;
  readonly size: number;
}
/** Names are found by a part that few have, then checked: `whole` is anchored at its end only. */
export interface NamePattern {
  readonly part: string;
  readonly whole: RegExp;
}
interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}
interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}
interface Symbols {
  readonly table: Section;
  readonly names: Section;
}

const sectionTypes = { symbols: 2, dynamicSymbols: 11, gnuHash: 0x6ffffff6 };
const symbolSize = 24;
const loadSegment = 1;
const sharedObject = 3;
/** What is read at a time of a table that is searched from end to end. */
const chunkBytes = 1 << 20;
/** More is no executable of Node. */
const maxSections = 200;
const maxTableBytes = 64 << 20;

export class Elf {
  readonly machine: 'x64' | 'arm64';
  /** Whether it is loaded somewhere else than its addresses say. */
  readonly isRelocated: boolean;
  readonly segments: Segment[] = [];
  readonly #file: FileBytes;
  readonly #dynamic: Symbols | undefined;
  readonly #hash: Section | undefined;
  readonly #all: Symbols | undefined;

  /** Throws where the file is not such an executable. */
  constructor(file: FileBytes) {
    const header = file.read(0, 64);
    const machine = { 62: 'x64', 183: 'arm64' }[header.length < 64 ? 0 : header.readUInt16LE(18)];
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01' || !machine) throw new Error('not a 64-bit ELF file');
    this.machine = machine as 'x64' | 'arm64';
    this.isRelocated = header.readUInt16LE(16) === sharedObject;
    this.#file = file;
    this.#readSegments(Number(header.readBigUInt64LE(32)), header.readUInt16LE(54), header.readUInt16LE(56));
    const sections = this.#readSections(Number(header.readBigUInt64LE(40)), header.readUInt16LE(60));
    const symbols = (type: number): Symbols | undefined => {
      const table = sections.find((section) => section.type === type);
      const names = table && sections[table.link];
      return table && names && table.size <= maxTableBytes && names.size <= maxTableBytes
        ? { table, names }
        : undefined;
    };
    this.#dynamic = symbols(sectionTypes.dynamicSymbols);
    this.#hash = sections.find(({ type }) => type === sectionTypes.gnuHash);
    this.#all = symbols(sectionTypes.symbols);
  }

  /** A symbol that the file exports; addresses are as in the file. */
  exported(name: string): ElfSymbol | undefined {
    if (!this.#dynamic || !this.#hash) return undefined;
    const at = this.#hash.offset;
    const [buckets = 0, first = 0, bloom = 0] = words(this.#file.read(at, 12));
    if (buckets === 0) return undefined;
    const bucketsAt = at + 16 + bloom * 8;
    const wanted = gnuHash(name);
    let [index = 0] = words(this.#file.read(bucketsAt + (wanted % buckets) * 4, 4));
    for (let i = 0; index >= first && i < 1000; i++, index++) {
      const [hash = 1] = words(this.#file.read(bucketsAt + buckets * 4 + (index - first) * 4, 4));
      if ((hash | 1) >>> 0 === (wanted | 1) >>> 0) {
        const symbol = this.#file.read(this.#dynamic.table.offset + index * symbolSize, symbolSize);
        const nameAt = this.#dynamic.names.offset + symbol.readUInt32LE(0);
        if (this.#file.read(nameAt, name.length + 1).toString('latin1') === `${name}\0`)
          return { address: Number(symbol.readBigUInt64LE(8)), size: Number(symbol.readBigUInt64LE(16)) };
      }
      if (hash & 1) return undefined;
    }
    return undefined;
  }

  /** The symbols whose names match, the file's own among them; none where it was stripped. */
  matching(patterns: readonly NamePattern[]): Map<string, ElfSymbol> {
    const found = new Map<string, ElfSymbol>();
    if (!this.#all) return found;
    const names = this.#namesMatching(patterns);
    this.#eachChunk(this.#all.table, 0, (chunk) => {
      for (let at = 0; at + symbolSize <= chunk.length; at += symbolSize) {
        const name = names.get(chunk.readUInt32LE(at));
        if (name === undefined) continue;
        found.set(name, {
          address: Number(chunk.readBigUInt64LE(at + 8)),
          size: Number(chunk.readBigUInt64LE(at + 16)),
        });
      }
    });
    return found;
  }

  /** Bytes of the file at an address of it. */
  bytesAt(address: number, length: number): Buffer | null {
    for (const segment of this.segments) {
      const offset = address - segment.address;
      if (offset >= 0 && offset + length <= segment.fileSize) return this.#file.read(segment.offset + offset, length);
    }
    return null;
  }

  #namesMatching(patterns: readonly NamePattern[]): Map<number, string> {
    const names = new Map<number, string>();
    const overlap = 512;
    this.#eachChunk(this.#all?.names as Section, overlap, (chunk, start) => {
      for (const { part, whole } of patterns)
        for (let at = chunk.indexOf(part, 0, 'latin1'); at >= 0; at = chunk.indexOf(part, at + part.length, 'latin1')) {
          const first = chunk.lastIndexOf(0, at) + 1;
          // a name may be kept as the end of a longer one
          const found = whole.exec(chunk.toString('latin1', first, chunk.indexOf(0, at)));
          if (found && first > 0) names.set(start + first + found.index, found[0]);
        }
    });
    return names;
  }

  #eachChunk({ offset, size }: Section, overlap: number, each: (chunk: Buffer, start: number) => void): void {
    const step = Math.floor(chunkBytes / symbolSize) * symbolSize;
    const into = Buffer.allocUnsafe(step + overlap);
    for (let start = 0; start < size; start += step)
      each(this.#file.read(offset + start, Math.min(step + overlap, size - start), into), start);
  }

  #readSegments(offset: number, entrySize: number, count: number): void {
    const table = this.#file.read(offset, entrySize * Math.min(count, maxSections));
    for (let at = 0; at + entrySize <= table.length; at += entrySize)
      if (table.readUInt32LE(at) === loadSegment)
        this.segments.push({
          offset: Number(table.readBigUInt64LE(at + 8)),
          address: Number(table.readBigUInt64LE(at + 16)),
          fileSize: Number(table.readBigUInt64LE(at + 32)),
        });
  }

  #readSections(offset: number, count: number): Section[] {
    const table = this.#file.read(offset, 64 * Math.min(count, maxSections));
    const sections: Section[] = [];
    for (let at = 0; at + 64 <= table.length; at += 64)
      sections.push({
        type: table.readUInt32LE(at + 4),
        offset: Number(table.readBigUInt64LE(at + 24)),
        size: Number(table.readBigUInt64LE(at + 32)),
        link: table.readUInt32LE(at + 40),
      });
    return sections;
  }
}

function words(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(i * 4));
}

function gnuHash(name: string): number {
  let hash = 5381;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 33) + name.charCodeAt(i)) >>> 0;
  return hash;
}
