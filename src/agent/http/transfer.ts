import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { captures } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { type Compressor, compressor, hasZstd } from '../captures/compressor.ts';
import type { Job } from '../captures/job.ts';
import { chooseEncoding, parseRange } from './negotiate.ts';

/**
 * Sends an artifact, from any byte on, while it is written or afterwards. Ranges count uncompressed bytes, whatever the
 * encoding. While the capture runs the length is not known: then a range is answered with `Content-Range: bytes N-` and stars for what is not known, and the end of
 * the body is the end of the artifact; a capture that fails meanwhile cuts the connection instead of ending the body.
 * Throws, before anything was sent, what makes it impossible.
 */
export async function sendArtifact(job: Job, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { artifact } = job;
  if (job.state === 'failed') throw new NodeopsError('refused', `the capture failed: ${job.error?.message}`);
  if (artifact.removed)
    throw new NodeopsError('no-such-job', 'the artifact is gone', { hint: 'start the capture again' });
  const etag = job.sha256 === null ? undefined : `"${job.sha256}"`;
  const unchanged = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
  const range = unchanged ? parseRange(request.headers.range) : undefined;
  const from = range?.from ?? 0;
  const total = job.state === 'finished' ? artifact.bytes : undefined;
  if (range && total !== undefined && from >= total && total > 0) {
    response.writeHead(416, { 'content-range': `bytes */${total}`, 'content-length': 0 });
    return void response.end();
  }
  const to = Math.min(range?.to ?? Number.POSITIVE_INFINITY, total ?? Number.POSITIVE_INFINITY);
  const bytes = artifact.read(from, to);
  // what cannot be read from there is said before the head is sent
  const first = total === undefined && artifact.bytes <= from ? undefined : await bytes.next();

  const encoding = chooseEncoding(request.headers['accept-encoding'], hasZstd);
  response.writeHead(range ? 206 : 200, {
    'content-type': captures[job.capture].mediaType,
    'accept-ranges': 'bytes',
    vary: 'accept-encoding',
    ...(etag ? { etag } : {}),
    ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
    ...(range
      ? { 'content-range': total === undefined ? `bytes ${from}-*/*` : `bytes ${from}-${to - 1}/${total}` }
      : {}),
    ...(encoding === 'identity' && total !== undefined ? { 'content-length': to - from } : {}),
  });
  // the head goes out now: the first byte may be an hour away
  response.flushHeaders();
  const unwatch = cutWhenStalled(response);
  try {
    await pump(job, first, bytes, encoding === 'identity' ? undefined : compressor(encoding), response);
  } catch {
    // the client is gone, or so is the artifact: a body without its end says so
    response.destroy();
  } finally {
    unwatch();
    await bytes.return();
  }
}

/** Writes one part after the other, each when the one before has left: the buffer they come in is the same. */
async function pump(
  job: Job,
  first: IteratorResult<Buffer, void> | undefined,
  rest: AsyncGenerator<Buffer, void, undefined>,
  packer: Compressor | undefined,
  response: ServerResponse,
): Promise<void> {
  const sent = finished(response);
  // an error that ends it is seen below, by whoever waits then
  sent.catch(() => {});
  // while there is nothing to send yet, being connected is asking
  const alive = setInterval(() => response.writableNeedDrain || job.asked(), 1_000);
  try {
    for (let part = first ?? (await next(rest, sent)); !part.done; part = await next(rest, sent)) {
      const { value } = part;
      const written = new Promise<void>((resolve, reject) =>
        response.write(packer?.part(value) ?? value, (error) => (error ? reject(error) : resolve())),
      );
      await Promise.race([written, sent]);
      job.asked();
    }
    response.end(packer?.end());
    await sent;
  } finally {
    clearInterval(alive);
    packer?.close();
  }
}

/** The next part, unless the client goes first. */
async function next(
  bytes: AsyncGenerator<Buffer, void, undefined>,
  gone: Promise<void>,
): Promise<IteratorResult<Buffer, void>> {
  return (await Promise.race([bytes.next(), gone])) ?? { done: true, value: undefined };
}

/** Ends a transfer of which the client takes nothing any more; it can come back for the rest. */
function cutWhenStalled(response: ServerResponse): () => void {
  let written = -1;
  const { socket } = response;
  const timer = setInterval(() => {
    const now = socket?.bytesWritten ?? 0;
    const pending = (socket?.writableLength ?? 0) > 0;
    // bytesWritten counts what is queued as well: what the kernel took is the difference
    const taken = now - (socket?.writableLength ?? 0);
    if (pending && taken === written) response.destroy();
    written = taken;
  }, limits.idleConnectionMs);
  return () => clearInterval(timer);
}
