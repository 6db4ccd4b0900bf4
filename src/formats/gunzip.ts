import { gunzipSync } from 'node:zlib';
import { NodeopsError } from '../protocol/errors.ts';

/** What is larger than this, and this many times its compressed size, is a bomb: profiles shrink to a tenth, seldom a fiftieth. */
const suspectBytes = 64 * 1024 * 1024;
const suspectRatio = 200;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The bytes themselves, or what is in them when they are gzipped. `what` is what errors call it.
 * Throws NodeopsError `too-large` past the limit or past any sensible ratio, before it is all in memory; `failed` when it is damaged.
 */
export function gunzipped(what: string, input: Uint8Array, limitBytes: number): Uint8Array {
  const tooLarge = (bytes: number) => new NodeopsError('too-large', `the ${what} is larger than ${bytes} bytes`);
  if (!isGzip(input)) {
    if (input.length > limitBytes) throw tooLarge(limitBytes);
    return input;
  }
  const most = Math.min(limitBytes, Math.max(suspectBytes, input.length * suspectRatio));
  try {
    return gunzipSync(input, { maxOutputLength: most });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most);
    const problem = code === 'Z_BUF_ERROR' ? `it is cut off after ${input.length} bytes` : message;
    throw new NodeopsError('failed', `the ${what} is damaged: ${problem}`, { cause });
  }
}
