import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to outgoing connections: one of another test could have taken it by the time it is used. */
const [first, last] = [20_000, 31_999];

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = first + Math.floor(Math.random() * (last - first + 1));
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
  throw new Error(`no free port from ${first} to ${last}`);
}
