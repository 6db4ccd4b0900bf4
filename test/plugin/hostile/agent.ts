/** A hostile agent: a real one's replies, with every string, number or shape of them changed on the way. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A window title, a cleared screen, a C1 sequence, a new line with a runner's commands, a mark that reorders. */
export const payload = '\u001b]0;PWNED\u0007\u001b[2J\u001b[31m\u009b31m\r\n::error::FAKE ##vso[x]\u202e\u2066';

export type Change = (value: unknown, key: string) => unknown;

/** Every string but what says which reply, and which member of a union, it is. */
export const everyString: Change = (value, key) =>
  typeof value === 'string' && !['schema', 'operation', 'kind'].includes(key) ? value + payload : value;

/** Changes `share` of the values to one of another kind, the same ones for the same seed. */
export function oddValues(seed: number, share = 0.15): Change {
  let state = seed;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const odd = [null, -1, 1e308, '', [], {}, true, payload, [[[]]], { length: -1 }];
  return (value, key) => (key === 'schema' || random() > share ? value : odd[Math.floor(random() * odd.length)]);
}

function changed(value: unknown, change: Change, key = ''): unknown {
  const next = change(value, key);
  if (next !== value) return next;
  if (Array.isArray(value)) return value.map((one) => changed(one, change, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, changed(one, change, name)]));
}

/** Passes requests on to the agent on `port`, and its JSON back changed. */
export async function hostileAgent(port: number, change: Change) {
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onward = request({
      host: '127.0.0.1',
      port,
      method,
      path: url,
      headers: { ...headers, 'accept-encoding': '' },
    });
    incoming.pipe(onward);
    onward.on('error', () => outgoing.destroy());
    onward.on('response', async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const lines = text.split('\n').map((line) => {
        try {
          return JSON.stringify(changed(JSON.parse(line), change));
        } catch {
          return line;
        }
      });
      const { 'content-length': _, 'transfer-encoding': __, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode!, rest).end(lines.join('\n'));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
