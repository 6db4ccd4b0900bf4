/** What an executable tells of the V8 in it, read once per file. */
import { type BuiltinTable, builtinPrefix, builtinTable } from './builtins.ts';
import { Elf } from './elf.ts';
import { type Layout, readLayout } from './layout.ts';
import { type BytecodeSizes, bytecodeSizes } from './positions.ts';
import { type Mapping, OpenFile } from './process.ts';

export interface ExecutableFacts {
  readonly layout: Layout;
  readonly builtins: BuiltinTable;
  readonly bytecodeSizes: BytecodeSizes | null;
}

const sizes = '_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE';
const cache = new Map<string, ExecutableFacts | Error>();
const maxCached = 8;

/** Throws where it cannot be read, or holds no V8 that is known here. */
export function executableOf(procDir: string, mappings: readonly Mapping[]): ExecutableFacts {
  const file = new OpenFile(`${procDir}/exe`);
  try {
    return factsOf(file);
  } catch (error) {
    // distributions put Node into a library beside a small executable
    const library = mappings.find(({ path }) => /\/libnode\.so[.\d]*$/.test(path));
    if (!library) throw error;
    const other = new OpenFile(`${procDir}/root${library.path}`);
    try {
      return factsOf(other);
    } finally {
      other.close();
    }
  } finally {
    file.close();
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
    const symbols = elf.startingWith([builtinPrefix, sizes]);
    const symbol = elf.exported(sizes) ?? symbols.get(sizes);
    symbols.delete(sizes);
    const table = symbol && elf.bytesAt(symbol.address, symbol.size);
    return { layout, builtins: builtinTable(symbols), bytecodeSizes: table ? bytecodeSizes(table) : null };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
