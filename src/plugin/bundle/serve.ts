/** A bundle on loopback, entry by entry out of its file. Works offline and ends by itself. */
import { randomBytes } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { NodeopsError } from '../../protocol/errors.ts';
import { idleMs } from '../viewing/server.ts';
import { pagePolicy } from './page.ts';
import { withEntry } from './read.ts';

export interface ServedBundle {
  readonly url: string;
  /** Resolves once it serves no more, to whether it was idle. */
  readonly closed: Promise<{ idle: boolean }>;
}

/** Readable in the browser as text; all else is downloaded. */
const texts = new Set(['.json', '.yaml', '.txt', '.log']);

/** Serves until the signal or until nobody asks any more. Throws `failed` when no port can be opened. */
export async function serveBundle(path: string, signal: AbortSignal, limitMs: number = idleMs): Promise<ServedBundle> {
  const token = randomBytes(24).toString('base64url');
  const server = http.createServer((request, response) => {
    idle.refresh();
    const { port } = server.address() as AddressInfo;
    answer(request, response, path, port, token).catch(() => response.destroy());
  });
  let wasIdle = false;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const idle = setTimeout(() => {
    wasIdle = true;
    close();
  }, limitMs);
  const closed = new Promise<{ idle: boolean }>((resolve) => {
    server.on('close', () => {
      clearTimeout(idle);
      signal.removeEventListener('abort', close);
      resolve({ idle: wasIdle });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  }).catch((cause) => {
    clearTimeout(idle);
    throw new NodeopsError('failed', `cannot serve on 127.0.0.1: ${(cause as Error).message}`, { cause });
  });
  if (signal.aborted) close();
  else signal.addEventListener('abort', close, { once: true });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}/`, closed };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  port: number,
  token: string,
): Promise<void> {
  response.setHeader(
    'Content-Security-Policy',
    `${pagePolicy}; frame-ancestors 'none'; sandbox allow-same-origin allow-downloads`,
  );
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Cache-Control', 'no-store');
  const refuse = (status: number) => void response.writeHead(status).end();
  // a name that an attacker's DNS points to 127.0.0.1 arrives here with that name
  if (request.headers.host !== `127.0.0.1:${port}`) return refuse(403);
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const asked = pathname.startsWith(`/${token}/`) ? decode(pathname.slice(token.length + 2)) : undefined;
  if (asked === undefined) return refuse(404);
  const name = asked || 'index.html';
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
  if (!found && !response.headersSent) refuse(404);
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
