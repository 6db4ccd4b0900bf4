/** Names of V8's builtins by address. V8 may run a copy of them, elsewhere than where the executable is loaded. */
import type { ElfSymbol } from './elf.ts';
import type { StackFrame } from './walk.ts';

export interface Builtins {
  /** Without the prefix; null where no builtin is, undefined where it cannot be known. */
  nameAt(pc: number): string | null | undefined;
}

const prefix = 'Builtins_';
const entries = ['JSEntry', 'JSConstructEntry', 'JSRunMicrotasksEntry'];
/** A copy begins at a page, as the original does. */
const page = 4096;

export const unknownBuiltins: Builtins = { nameAt: () => undefined };

/** `calledByEntry`: the frame that an entry frame called, whose address to go on at is in one of the builtins for entering. */
export function builtinsAt(symbols: ReadonlyMap<string, ElfSymbol>, returnIntoEntry: number | undefined): Builtins {
  const moved = returnIntoEntry === undefined ? undefined : distance(symbols, returnIntoEntry);
  if (moved === undefined) return unknownBuiltins;
  const sorted = [...symbols].map(([name, { address, size }]) => ({ name, address, size }));
  sorted.sort((a, b) => a.address - b.address);
  return {
    nameAt(pc) {
      const wanted = pc - moved;
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle]?.address ?? 0) < wanted) low = middle + 1;
        else high = middle;
      }
      const found = sorted[low - 1];
      return found && wanted <= found.address + found.size ? found.name.slice(prefix.length) : null;
    },
  };
}

function distance(symbols: ReadonlyMap<string, ElfSymbol>, pc: number): number | undefined {
  for (const name of entries) {
    const symbol = symbols.get(prefix + name);
    const inside = symbol && (((pc - symbol.address) % page) + page) % page;
    if (symbol && inside !== undefined && inside > 0 && inside <= symbol.size) return pc - inside - symbol.address;
  }
  return undefined;
}

/** Where the innermost frame that JavaScript was entered by goes on. */
export function returnIntoEntry(
  frames: readonly StackFrame[],
  isEntry: (frame: StackFrame) => boolean,
): number | undefined {
  return frames.find(isEntry)?.pc;
}
