/** Two one-way streams, such as standard input and output, as one; or a stream of HTTP/2 as one that every user of sockets gets on with. */
import { Duplex, type Readable, type Writable } from 'node:stream';

/**
 * What is written arrives there as bytes: strings written to a stream of HTTP/2 over something else than a socket come out as
 * memory used otherwise since (Node 18, 20, 22). And not `Duplex.from`, which says a chunk is written when it is only queued.
 * Destroying it destroys both; the end of reading does not end writing.
 */
export function joined(readable: Readable, writable: Writable): Duplex {
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => readable.resume(),
    write(chunk: Buffer, _, done) {
      writable.write(chunk, done);
    },
    final(done) {
      writable.end(done);
    },
    destroy(error, done) {
      readable.destroy();
      writable.destroy();
      done(error);
    },
  });
  readable.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) readable.pause();
  });
  readable.on('end', () => stream.push(null));
  // either gone is the end of both
  const gone = (error?: Error) => stream.destroy(error);
  readable.on('error', gone).on('close', () => readable.readableEnded || gone());
  writable.on('error', gone).on('close', () => gone());
  readable.pause();
  return stream;
}
