import type { HeapGraph } from './graph.ts';

const wordBytes = 8;
/** Words before the entries besides the buckets: map, length; then elements, deleted, buckets. */
const [arrayHeader, tableHeader] = [2, 3];

/**
 * What an entry of a Map's or Set's table is: V8 numbers its slots, and says neither how many buckets come first nor which
 * slot is a key. A table of b buckets has 3 + b slots, and 2b entries of 3 (Map: key, value, chain) or 2 (Set: value, chain).
 */
export function tablePart(
  graph: HeapGraph,
  holder: number,
  table: number,
  slot: string | number,
): 'key' | 'value' | 'element' | undefined {
  if (graph.type(table) !== 'array') return undefined;
  const name = graph.name(holder);
  const isMap = /Map$/.test(name);
  if (graph.type(holder) !== 'object' || !(isMap || /Set$/.test(name))) return undefined;
  if (!isMap) return 'element';
  const index = Number(slot);
  const slots = graph.size(table) / wordBytes - arrayHeader;
  const buckets = (slots - tableHeader) / 7;
  if (!Number.isInteger(buckets) || !Number.isInteger(index)) return 'value';
  return (index - tableHeader - buckets) % 3 === 0 ? 'key' : 'value';
}
