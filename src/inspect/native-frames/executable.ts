/** What an executable tells of the V8 in it, read once per file. */
import { readlinkSync } from 'node:fs';
import type { Mapping } from '../../proc/maps.ts';
import { type BuiltinTable, builtinPattern, builtinTable, cppBuiltinPattern, cppBuiltins } from './builtins.ts';
import { Elf } from './elf.ts';
import { type Layout, readLayout } from './layout.ts';
import { type BytecodeSizes, bytecodeSizes } from './positions.ts';
import { OpenFile } from './process.ts';

export interface ExecutableFacts {
  readonly layout: Layout;
  readonly builtins: BuiltinTable;
  /** By address in the file. */
  readonly cppBuiltins: ReadonlyMap<number, string>;
  readonly bytecodeSizes: BytecodeSizes | null;
  /** Its lowest address in the file, where it is loaded somewhere else. */
  readonly lowest: number | null;
}
export interface Executable extends ExecutableFacts {
  /** What addresses in memory are above those in the file. */
  readonly base: number;
}

const sizes = '_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE';
const cache = new Map<string, ExecutableFacts | Error>();
const maxCached = 8;

/** Throws where it cannot be read, or holds no V8 that is known here. */
export function executableOf(procDir: string, mappings: readonly Mapping[]): Executable {
  const loaded = (path: string, link: string): Executable => {
    const file = new OpenFile(path);
    try {
      const facts = factsOf(file);
      const start = mappings.find((mapping) => mapping.path === link)?.start ?? 0;
      return { ...facts, base: facts.lowest === null ? 0 : start - facts.lowest };
    } finally {
      file.close();
    }
  };
  try {
    return loaded(`${procDir}/exe`, readlinkSync(`${procDir}/exe`));
  } catch (error) {
    // distributions put Node into a library beside a small executable
    const library = mappings.find(({ path }) => /\/libnode\.so[.\d]*$/.test(path));
    if (!library) throw error;
    return loaded(`${procDir}/root${library.path}`, library.path);
  }
}

function factsOf(file: OpenFile): ExecutableFacts {
  const key = file.identity();
  const known = cache.get(key) ?? tryRead(file);
  if (cache.size >= maxCached) cache.clear();
  cache.set(key, known);
  if (known instanceof Error) throw known;
  return known;
}

function tryRead(file: OpenFile): ExecutableFacts | Error {
  try {
    const elf = new Elf(file);
    const layout = readLayout(elf);
    const symbols = elf.matching([builtinPattern, cppBuiltinPattern, { part: sizes, whole: new RegExp(`${sizes}$`) }]);
    const symbol = elf.exported(sizes) ?? symbols.get(sizes);
    const table = symbol && elf.bytesAt(symbol.address, symbol.size);
    return {
      layout,
      builtins: builtinTable(symbols),
      cppBuiltins: cppBuiltins(symbols),
      bytecodeSizes: table ? bytecodeSizes(table) : null,
      lowest: elf.isRelocated ? Math.min(...elf.segments.map(({ address }) => address)) : null,
    };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
