/** `diff` of two heap snapshots. */
import { diffHeaps, type HeapChanges } from '../../../formats/heap/diff.ts';
import { changesText } from '../../../formats/heap/diff-text.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Io, write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { printableReply } from '../../render/printable.ts';
import { openHeapFile } from '../view/heap.ts';
import { kindOf } from '../view/kind.ts';

export interface HeapDiffOptions {
  /** `json` or `yaml`; text without. */
  readonly format?: string | undefined;
  /** Rows of each list; 0 for all. */
  readonly count?: number | undefined;
}

/** Throws `local-file`, and `usage` for what is no heap snapshot: before anything is captured. */
export async function checkHeapFile(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind !== 'heapsnapshot')
    throw new NodeopsError('usage', `${path} is a ${kind}, and a heap snapshot is compared with another`);
}

export async function diffHeapFiles(
  before: string,
  after: string,
  { format, count = 20 }: HeapDiffOptions,
  io: Io,
): Promise<void> {
  const changes = await changesBetween(before, after, count === 0 ? 1_000_000 : count, io);
  const document = { schema: 'nodeops/v1', kind: 'HeapDiff', base: before, new: after, ...changes };
  await write(
    io.stdout,
    isDocumentFormat(format) ? await documentText(format, printableReply(document)) : changesText(changes),
  );
}

async function changesBetween(before: string, after: string, rows: number, io: Io): Promise<HeapChanges> {
  const base = await openHeapFile(before, io);
  try {
    const next = await openHeapFile(after, io);
    try {
      return diffHeaps(base, next, { rows });
    } finally {
      next.graph.close();
    }
  } finally {
    base.graph.close();
  }
}
