/** Names of V8's builtins by address. V8 may run a copy of them, elsewhere than where the executable is loaded. */
import type { ElfSymbol } from './elf.ts';

/** In the order of addresses. */
export interface BuiltinTable {
  readonly addresses: readonly number[];
  readonly ends: readonly number[];
  readonly names: readonly string[];
}

export interface Builtins {
  /** Null where no builtin is, undefined where it cannot be known. */
  nameAt(pc: number): string | null | undefined;
}

export const builtinPrefix = 'Builtins_';
const entries = ['JSEntry', 'JSConstructEntry', 'JSRunMicrotasksEntry'];
/** A copy begins at a page, as the original does. */
const page = 4096;

export function builtinTable(symbols: ReadonlyMap<string, ElfSymbol>): BuiltinTable {
  const sorted = [...symbols].sort(([, a], [, b]) => a.address - b.address);
  return {
    addresses: sorted.map(([, { address }]) => address),
    ends: sorted.map(([, { address, size }]) => address + size),
    names: sorted.map(([name]) => name.slice(builtinPrefix.length)),
  };
}

/** `intoEntry`: where the frame that JavaScript was entered by goes on, which is in one of the builtins for that. */
export function builtinsAt(table: BuiltinTable, intoEntry: number | undefined): Builtins {
  const moved = intoEntry === undefined ? undefined : distance(table, intoEntry);
  return { nameAt: (pc) => (moved === undefined ? undefined : find(table, pc - moved)) };
}

function find({ addresses, ends, names }: BuiltinTable, pc: number): string | null {
  let [low, high] = [0, addresses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((addresses[middle] ?? 0) <= pc) low = middle + 1;
    else high = middle;
  }
  return pc <= (ends[low - 1] ?? -1) ? (names[low - 1] ?? null) : null;
}

function distance({ addresses, ends, names }: BuiltinTable, pc: number): number | undefined {
  for (const name of entries) {
    const index = names.indexOf(name);
    const [start, end] = [addresses[index], ends[index]];
    if (start === undefined || end === undefined) continue;
    const inside = (((pc - start) % page) + page) % page;
    if (inside > 0 && inside <= end - start) return pc - inside - start;
  }
  return undefined;
}
