import { dirname } from 'node:path';
import { NodeopsError } from '../../protocol/errors.ts';

/** What the file system's error codes mean for someone who wants to save a file. */
const reasons: Readonly<Record<string, (path: string) => { what: string; hint?: string }>> = {
  ENOENT: (path) => ({ what: `${dirname(path)} does not exist`, hint: `mkdir -p ${dirname(path)}` }),
  ENOTDIR: (path) => ({ what: `${dirname(path)} is not a directory` }),
  EISDIR: () => ({ what: 'it is a directory' }),
  EACCES: (path) => ({ what: `no right to write in ${dirname(path)}`, hint: 'name another place with --output' }),
  EPERM: (path) => ({ what: `no right to write in ${dirname(path)}`, hint: 'name another place with --output' }),
  EROFS: () => ({ what: 'the file system is read-only', hint: 'name another place with --output' }),
  ENOSPC: () => ({ what: 'no space left on the device', hint: 'make room, or name another place with --output' }),
  EDQUOT: () => ({ what: 'the disk quota is used up', hint: 'make room, or name another place with --output' }),
  EFBIG: () => ({ what: 'the file is larger than the file system or the limit (ulimit -f) takes' }),
  ENAMETOOLONG: () => ({ what: 'the name is too long' }),
  EEXIST: () => ({ what: 'it exists', hint: 'add --overwrite, or name another file' }),
  ELOOP: () => ({ what: 'it is a symbolic link, which is not followed' }),
};

/** A `local-file` error that names the file, the reason and the way out. */
export function localFailure(path: string, cause: unknown): NodeopsError {
  if (cause instanceof NodeopsError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const { what, hint } = (code === undefined ? undefined : reasons[code]?.(path)) ?? { what: message };
  return new NodeopsError('local-file', `cannot write ${path}: ${what}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    detail: { path, errno: code ?? null },
  });
}
