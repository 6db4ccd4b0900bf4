/** What changed between two heaps, as people read it. */
import { bytesShort, counted } from '../../protocol/text/quantities.ts';
import type { HeapChanges } from './diff.ts';
import { table } from './text.ts';

export function changesText(changes: HeapChanges): string {
  const { matched, beforeBytes, afterBytes, beforeNodes, afterNodes, paths, classes } = changes;
  const head = `Heap: ${bytesShort(beforeBytes)} → ${bytesShort(afterBytes)} (${signed(afterBytes - beforeBytes)}), ${counted(beforeNodes, 'object')} → ${afterNodes}\n`;
  const how =
    matched === 'objects'
      ? ''
      : 'Objects have other numbers in the two: came and went are the difference of the counts.\n';
  const grown =
    paths.length === 0
      ? '\nNothing keeps more than before.\n'
      : `\nWhat keeps more than before\n${table([
          ['growth', 'before', 'after', 'id', 'path'],
          ...paths.map(({ path, beforeBytes: was, afterBytes: is, id }) => [
            signed(is - was),
            bytesShort(was),
            bytesShort(is),
            `@${id}`,
            path,
          ]),
        ])}`;
  const byClass = `\nBy class\n${table([
    ['retained', 'self', 'came', 'went', 'stayed', 'class, and what keeps what came'],
    ...classes.map(({ retainedBytes, selfBytes, came, went, stayed, name, path, site }) => [
      signed(retainedBytes),
      signed(selfBytes),
      `+${came}`,
      `-${went}`,
      String(stayed),
      [name, ...(site === null ? [] : [site]), ...(path === null ? [] : [path])].join('  '),
    ]),
  ])}`;
  return head + how + grown + byClass;
}

function signed(bytes: number): string {
  return bytes < 0 ? `-${bytesShort(-bytes)}` : `+${bytesShort(bytes)}`;
}
