/** Names of V8's builtins by address. V8 may run a copy of them, elsewhere than where the executable is loaded. */
import type { ElfSymbol, NamePattern } from './elf.ts';

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

const prefix = 'Builtins_';
export const builtinPattern: NamePattern = { part: prefix, whole: /Builtins_\w+$/ };
const entries = ['JSEntry', 'JSConstructEntry', 'JSRunMicrotasksEntry'];
/** A copy begins at a page, as the original does. */
const page = 4096;

export function builtinTable(symbols: ReadonlyMap<string, ElfSymbol>): BuiltinTable {
  const sorted = [...symbols].filter(([name]) => name.startsWith(prefix)).sort(([, a], [, b]) => a.address - b.address);
  return {
    addresses: sorted.map(([, { address }]) => address),
    ends: sorted.map(([, { address, size }]) => address + size),
    names: sorted.map(([name]) => name.slice(prefix.length)),
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

/** Those that are written in C++: `_ZN2v88internal17Builtin_JsonParseEiPmPNS0_7IsolateE` is JsonParse. */
export const cppBuiltinPattern: NamePattern = {
  part: 'Builtin_',
  whole: /_ZN2v88internal\d+Builtin_(\w+)EiPmPNS0_7IsolateE$/,
};

export function cppBuiltins(symbols: ReadonlyMap<string, ElfSymbol>): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, { address }] of symbols) {
    const short = cppBuiltinPattern.whole.exec(name)?.[1];
    if (short) names.set(address, short);
  }
  return names;
}

const objects: Readonly<Record<string, string>> = { Json: 'JSON' };

/** As one writes it: `parse`, of the builtin JsonParse, is JSON.parse; `concat`, of ArrayPrototypeConcat, Array.prototype.concat. */
export function nameOf(builtin: string, functionName: string): string {
  const method = functionName.charAt(0).toUpperCase() + functionName.slice(1);
  const holder = builtin.endsWith(method) ? builtin.slice(0, -method.length) : '';
  if (!/^[A-Z][A-Za-z\d]*$/.test(holder)) return functionName;
  const isOnPrototype = holder.endsWith('Prototype') && holder !== 'Prototype';
  const object = isOnPrototype ? holder.slice(0, -'Prototype'.length) : holder;
  return `${objects[object] ?? object}.${isOnPrototype ? 'prototype.' : ''}${functionName}`;
}
