/** Asks this agent's own port over HTTP: what answers the plugin answers gops, with the same limits, turns and refusals. */
import { type IncomingMessage, request } from 'node:http';
import { NodeopsError } from '../../protocol/errors.ts';
import { limits, protocolVersion } from '../../protocol/limits.ts';
import type { Envelope } from '../../protocol/replies.ts';
import { decodeError, pathPrefix, requestHeader } from '../../protocol/wire.ts';

export class OwnPort {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** A reply's head; the caller reads the body or destroys it. Throws what the agent says went wrong. */
  async open(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<IncomingMessage> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({
        host: '127.0.0.1',
        port: this.#port,
        method,
        path: `${pathPrefix}${path}`,
        agent: false,
        timeout: limits.idleConnectionMs,
        headers: { Host: '127.0.0.1', [requestHeader]: String(protocolVersion) },
      });
      asked.on('response', resolve).on('error', reject);
      asked.on('timeout', () => asked.destroy(new NodeopsError('timeout', `'${path}' was not answered`)));
      asked.end();
    });
    if ((response.statusCode ?? 500) < 400) return response;
    throw (
      decodeError(JSON.parse((await readAll(response)).toString())) ??
      new NodeopsError('failed', `'${path}' was answered with status ${response.statusCode}`)
    );
  }

  async json<T>(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<T> {
    return JSON.parse((await readAll(await this.open(method, path))).toString());
  }

  /** The data of an operation's reply. */
  async ask<T>(method: 'GET' | 'POST', operation: string): Promise<T> {
    return (await this.json<Envelope<T>>(method, operation)).data;
  }
}

/** The whole body. Throws `too-large`. */
export async function readAll(response: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > limits.replyBytes)
      throw new NodeopsError('too-large', `the reply is larger than ${limits.replyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
