/** A summary of a heap as people read it. */
import { bytesShort, counted, percent } from '../../protocol/text/quantities.ts';
import type { HeapSummary } from './summary.ts';

/** One line a row, columns two blanks apart; those before the last are aligned to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [i, cell] of row.slice(0, -1).entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) => row.map((cell, i) => (i < row.length - 1 ? cell.padStart(widths[i]!) : cell)).join('  '))
    .map((line) => `  ${line}\n`)
    .join('');
}

export function share(bytes: number, total: number): string {
  return total === 0 ? '-' : percent(bytes / total);
}

export function headText(summary: HeapSummary): string {
  const { totalBytes, nodes, edges, arrayBuffers } = summary;
  const outside = arrayBuffers.bytes > 0 ? `, ${bytesShort(arrayBuffers.bytes)} of it in ArrayBuffers` : '';
  return `Heap snapshot: ${bytesShort(totalBytes)} in ${counted(nodes, 'object')}${outside}; ${counted(edges, 'reference')}\n`;
}

export function classesText({ classes, totalBytes }: Pick<HeapSummary, 'classes' | 'totalBytes'>): string {
  return `\nClasses by retained size\n${table([
    ['retained', '', 'self', 'objects', 'class'],
    ...classes.map(({ name, count, selfBytes, retainedBytes }) => [
      bytesShort(retainedBytes),
      share(retainedBytes, totalBytes),
      bytesShort(selfBytes),
      String(count),
      name,
    ]),
  ])}`;
}

export function dominatorsText({ dominators, totalBytes }: HeapSummary): string {
  return `\nWhat keeps most, and what keeps it\n${table([
    ['retained', '', 'id', 'path'],
    ...dominators.map(({ id, retainedBytes, path }) => [
      bytesShort(retainedBytes),
      share(retainedBytes, totalBytes),
      `@${id}`,
      path,
    ]),
  ])}`;
}

export function packagesText({ packages, totalBytes }: HeapSummary): string {
  return `\nBy package\n${table([
    ['self', '', 'objects', 'package'],
    ...packages.map(({ name, objects, selfBytes }) => [
      bytesShort(selfBytes),
      share(selfBytes, totalBytes),
      String(objects),
      name,
    ]),
  ])}`;
}

export function stringsText({ duplicateStrings }: HeapSummary): string {
  if (duplicateStrings.length === 0) return '\nStrings that are there more than once: none\n';
  return `\nStrings that are there more than once\n${table([
    ['wasted', 'times', 'id', 'text, and where one of them is'],
    ...duplicateStrings.map(({ text, count, wastedBytes, id, path }) => [
      bytesShort(wastedBytes),
      `×${count}`,
      `@${id}`,
      `${JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text)}  ${path}`,
    ]),
  ])}`;
}

export function closuresText({ closures }: HeapSummary): string {
  if (closures.length === 0) return '';
  return `\nFunctions made more than once, by where they are written\n${table([
    ['retained', 'times', 'id', 'function'],
    ...closures.map(({ name, site, count, retainedBytes, id }) => [
      bytesShort(retainedBytes),
      `×${count}`,
      `@${id}`,
      `${name || '(anonymous)'}() ${site ?? ''}`.trimEnd(),
    ]),
  ])}`;
}

export function buffersText({ arrayBuffers: { count, bytes, largest } }: HeapSummary): string {
  if (count === 0) return '';
  return `\nArrayBuffers: ${count}, ${bytesShort(bytes)}\n${table([
    ['size', 'id', 'path'],
    ...largest.map(({ id, bytes: size, path }) => [bytesShort(size), `@${id}`, path]),
  ])}`;
}

export function detachedText({ detached: { count, largest } }: HeapSummary): string {
  if (count === 0) return '';
  return `\nDetached: ${count}\n${table([
    ['retained', 'id', 'what', 'path'],
    ...largest.map(({ id, retainedBytes, what, path }) => [bytesShort(retainedBytes), `@${id}`, what, path]),
  ])}`;
}

export function summaryText(summary: HeapSummary): string {
  const parts = [
    headText,
    dominatorsText,
    classesText,
    packagesText,
    stringsText,
    closuresText,
    buffersText,
    detachedText,
  ];
  return parts.map((part) => part(summary)).join('');
}
