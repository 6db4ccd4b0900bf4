import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems give to outgoing connections, one of which could have taken it by the time it is used. Tests that
 * run at the same time have shares of their own: a port may be free for now and belong to another test.
 */
const first = 20_000;
const share = 500;
const shares = 24;
const begin = first + (Number(process.env.VITEST_POOL_ID ?? 0) % shares) * share;
let given = Math.floor(Math.random() * share);

/** A port of 127.0.0.1 that nobody listens on, another one each time. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < share; attempt++) {
    const port = begin + (given++ % share);
    const server = createServer().listen(port, '127.0.0.1');
    const opened = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!opened) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error(`no free port from ${begin} to ${begin + share - 1}`);
}
