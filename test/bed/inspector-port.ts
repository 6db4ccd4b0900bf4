import type { Readable } from 'node:stream';

/** The port that a process started with `--inspect=127.0.0.1:0` tells on stderr; throws when it ends without telling one. */
export async function inspectorPort(stderr: Readable): Promise<number> {
  let said = '';
  for await (const text of stderr.iterator({ destroyOnReturn: false })) {
    said += text;
    const port = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1];
    if (port) {
      // what it says later must not fill the pipe
      stderr.resume();
      return Number(port);
    }
  }
  throw new Error(`no inspector: ${said}`);
}
