import type { IncomingMessage } from 'node:http';
import { webhookLimits } from './limits.ts';

/** A request that is answered with a status instead of a review. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads and decodes a JSON body within the limits; `state` counts the bytes of all requests in flight. Throws Refusal. */
export async function readBody(request: IncomingMessage, state: { bufferedBytes: number }): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // without destroying the socket, which carries the refusal back
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      state.bufferedBytes += chunk.length;
      if (bytes > webhookLimits.bodyBytes)
        throw new Refusal(413, `a review has at most ${webhookLimits.bodyBytes} bytes`);
      if (state.bufferedBytes > webhookLimits.bufferedBytes) throw new Refusal(503, 'too many reviews at once');
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, error instanceof SyntaxError ? 'the body is not JSON' : 'the body did not arrive');
  } finally {
    state.bufferedBytes -= bytes;
  }
}
