import type { Frame } from '../replies.ts';

/** `handle (/app/orders.js:12:5)`; of a function in C++ `JSON.parse (native)`; `begins at` where only the start of the function is known. */
export function frameText({ function: name, file, line, column, native, isStart }: Frame): string {
  if (native) return `${name} (native)`;
  return `${name} (${isStart ? 'begins at ' : ''}${file}${line > 0 ? `:${line}:${column}` : ''})`;
}
