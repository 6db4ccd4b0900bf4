/** A port before a real agent's, to hold up or change what it replies. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../../../bed/until.ts';

export interface Between {
  readonly port: number;
  close(): void;
}

/** `onReply` is waited for, and may change the parsed body. */
export async function between(
  agentPort: number,
  // biome-ignore lint/suspicious/noExplicitAny: replies are changed as they come
  onReply: (url: string, body: any) => unknown,
): Promise<Between> {
  const server = createServer(({ url = '', method, headers }, response) => {
    const asked = request({ host: '127.0.0.1', port: agentPort, path: url, method, headers }, async (reply) => {
      try {
        const body = JSON.parse(Buffer.concat(await reply.toArray()).toString());
        await onReply(url, body);
        const { 'content-length': _, ...kept } = reply.headers;
        response.writeHead(reply.statusCode!, kept).end(JSON.stringify(body));
      } catch {
        response.destroy();
      }
    });
    asked.on('error', () => response.destroy());
    asked.end();
  }).listen(0, '127.0.0.1');
  await until(() => server.listening);
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
