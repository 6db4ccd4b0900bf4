/** A bundle on loopback, entry by entry out of its file. Works offline and ends by itself. */
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Asked, refuse, type Served, serveOnLoopback } from '../view/loopback.ts';
import { pagePolicy } from './page.ts';
import { withEntry } from './read.ts';

/** Readable in the browser as text; all else is downloaded. */
const texts = new Set(['.json', '.yaml', '.txt', '.log']);
const policy = `${pagePolicy}; frame-ancestors 'none'; sandbox allow-same-origin allow-downloads`;

/** Serves until the signal or until nobody asks any more. Throws `failed` when no port can be opened. */
export function serveBundle(path: string, signal: AbortSignal, idleMs?: number): Promise<Served> {
  return serveOnLoopback({ signal, policy, idleMs, answer: (asked) => send(asked, path) });
}

async function send({ name: asked, request, response }: Asked, path: string): Promise<void> {
  const name = decode(asked) || 'index.html';
  const found = await withEntry(path, name, async (content, size) => {
    const type = name === 'index.html' ? 'text/html' : texts.has(extname(name)) ? 'text/plain' : undefined;
    response.setHeader('Content-Type', type ? `${type}; charset=utf-8` : 'application/octet-stream');
    if (!type) response.setHeader('Content-Disposition', 'attachment');
    response.setHeader('Content-Length', size);
    if (request.method === 'HEAD') {
      content.resume();
      response.end();
    } else await pipeline(content, response);
  });
  if (!found && !response.headersSent) refuse(response, 404);
}

/** What is not encoded well is the name of nothing. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
