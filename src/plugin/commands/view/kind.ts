/** What a saved file is, by its content: names may be anything. */
import { open } from 'node:fs/promises';
import { NodeopsError } from '../../../protocol/errors.ts';

export type FileKind = 'profile' | 'trace' | 'heapsnapshot' | 'report';

/** Bytes of the beginning that are looked at. */
const headBytes = 4_096;

/** Throws `local-file` when it cannot be read, `usage` when it is nothing we know. */
export async function kindOf(path: string): Promise<FileKind> {
  const head = await readHead(path);
  // gzip, or the first field of pprof's message: a sample type
  if ((head[0] === 0x1f && head[1] === 0x8b) || head[0] === 0x0a) return 'profile';
  const text = head.toString('latin1').trimStart();
  if (/^\{\s*"snapshot"\s*:/.test(text)) return 'heapsnapshot';
  // ours begins so where the main thread was stuck and Node could write none
  if (/^\{\s*(?:"header"\s*:\s*\{\s*"reportVersion"|"nodeops"\s*:)/.test(text)) return 'report';
  if (/^\{\s*"(?:traceEvents|metadata|displayTimeUnit)"\s*:/.test(text) || /^\[\s*\{\s*"/.test(text)) return 'trace';
  if (/^\{\s*"(?:nodes|head|samples|startTime|endTime|timeDeltas)"\s*:/.test(text)) return 'profile';
  throw new NodeopsError('usage', `${path} is no profile and no trace`, {
    hint: 'view takes .pb.gz, .cpuprofile, .heapprofile, .heapsnapshot and .trace.json files',
  });
}

async function readHead(path: string): Promise<Buffer> {
  const fail = (cause: unknown): never => {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'it does not exist' : code === 'EISDIR' ? 'it is a directory' : message;
    throw new NodeopsError('local-file', `cannot read ${path}: ${what}`, { cause });
  };
  const handle = await open(path, 'r').catch(fail);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0).catch(fail);
    if (bytesRead === 0) throw new NodeopsError('local-file', `cannot read ${path}: it is empty`);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
