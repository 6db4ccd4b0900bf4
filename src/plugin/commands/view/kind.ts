/** What a saved file is, by its content: names may be anything. */
import { open } from 'node:fs/promises';
import { sniff, sniffBytes } from '../../../formats/sniff.ts';
import { NodeopsError } from '../../../protocol/errors.ts';

export type FileKind = 'profile' | 'trace' | 'heapsnapshot' | 'report';

/** Throws `local-file` when it cannot be read, `usage` when it is nothing we know. */
export async function kindOf(path: string): Promise<FileKind> {
  const kind = sniff(await readHead(path));
  switch (kind) {
    case 'pprof':
    case 'cpuprofile':
    case 'heapprofile':
      return 'profile';
    case 'json':
    case 'text':
      throw new NodeopsError('usage', `${path} is ${kind === 'json' ? 'JSON, but ' : ''}no profile and no trace`, {
        hint: 'view takes .pb.gz, .cpuprofile, .heapprofile, .heapsnapshot and .trace.json files, gzipped or not',
      });
    default:
      return kind;
  }
}

async function readHead(path: string): Promise<Buffer> {
  const fail = (cause: unknown): never => {
    const { code, message } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'it does not exist' : code === 'EISDIR' ? 'it is a directory' : message;
    throw new NodeopsError('local-file', `cannot read ${path}: ${what}`, { cause });
  };
  const handle = await open(path, 'r').catch(fail);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0).catch(fail);
    if (bytesRead === 0) throw new NodeopsError('local-file', `cannot read ${path}: it is empty`);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
