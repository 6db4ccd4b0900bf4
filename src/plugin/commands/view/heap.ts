/** `view` of a heap snapshot: a summary, then questions. */
import { basename } from 'node:path';
import { type Heap, openHeap } from '../../../formats/heap/heap.ts';
import { HeapQueries, heapQueryNames } from '../../../formats/heap/queries.ts';
import { fileSource } from '../../../formats/heap/source.ts';
import { summarize } from '../../../formats/heap/summary.ts';
import { summaryText } from '../../../formats/heap/text.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { Progress } from '../../captures/progress.ts';
import { type Io, write } from '../../io.ts';
import { documentText } from '../../render/document.ts';
import { printableReply } from '../../render/printable.ts';
import { askLines } from './ask-lines.ts';

/** How long the first line of a pipe that says nothing and does not end is waited for: it may be a shell's own stdin. */
const firstLineMs = 300;

export async function viewHeap(path: string, { json }: { json: boolean }, io: Io): Promise<number> {
  const heap = await openHeapFile(path, io);
  try {
    const summary = summarize(heap);
    if (json) {
      const document = { schema: 'nodeops/v1', kind: 'HeapSnapshot', file: path, ...summary };
      await write(io.stdout, await documentText('json', printableReply(document)));
      return 0;
    }
    await write(io.stdout, summaryText(summary));
    if (io.stdin.isTTY ? !io.stdout.isTTY : !(await somethingCame(io))) return 0;
    if (io.stdout.isTTY && io.stdin.isTTY) await write(io.stdout, '\nAsk about it (type "help" for commands)\n');
    const queries = new HeapQueries(heap);
    await askLines(
      {
        prompt: '(heap) ',
        names: heapQueryNames,
        answer: (line) => queries.answer(line),
        aloud: io.stdin.isTTY === true,
      },
      io,
    );
    return 0;
  } finally {
    heap.graph.close();
  }
}

/** Reads a snapshot with progress on stderr; errors name the file. */
export async function openHeapFile(path: string, io: Io): Promise<Heap> {
  const source = fileSource(path);
  const progress = new Progress(io, 1);
  try {
    return await openHeap(source, {
      signal: io.signal,
      progress: (done) => progress.update(path, `reading ${basename(path)}: ${Math.floor(done * 100)}%`),
    });
  } catch (error) {
    source.close();
    if (!(error instanceof NodeopsError) || error.code === 'local-file') throw error;
    const { code, message, hint } = error;
    throw new NodeopsError(code, `${path}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  } finally {
    progress.clear();
  }
}

function somethingCame({ stdin }: Io): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (came: boolean) => {
      clearTimeout(timer);
      stdin.off('readable', readable);
      stdin.off('end', ended);
      stdin.off('error', ended);
      if (!came) stdin.pause();
      resolve(came);
    };
    const readable = () => settle(stdin.readableLength > 0);
    const ended = () => settle(false);
    const timer = setTimeout(ended, firstLineMs);
    stdin.on('readable', readable);
    stdin.on('end', ended);
    stdin.on('error', ended);
  });
}
