/** speedscope on loopback, with one file loaded. Works offline and ends by itself. */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname } from 'node:path';
import { pipeline } from 'node:stream';
import { NodeopsError } from '../../protocol/errors.ts';
import { safePart } from '../artifacts/filename.ts';
import type { Files } from './speedscope-files.ts';

/** Without a request for this long it ends. */
export const idleMs = 600_000;

export interface ServeOptions {
  /** The file to show. */
  readonly path: string;
  /** speedscope's own files. */
  readonly files: Files;
  readonly signal: AbortSignal;
  /** @default idleMs */
  readonly idleMs?: number;
}

export interface Served {
  readonly url: string;
  /** Resolves once it serves no more, to whether it was idle. */
  readonly closed: Promise<{ idle: boolean }>;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
};

/** Nothing is loaded from elsewhere, nothing is sent anywhere, no other page may frame it. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Serves until the signal or until nobody asks any more. Throws `failed` when no port can be opened. */
export async function serveProfile({ path, files, signal, idleMs: limitMs = idleMs }: ServeOptions): Promise<Served> {
  const token = randomBytes(24).toString('base64url');
  const name = safePart(basename(path));
  const server = http.createServer((request, response) => {
    idle.refresh();
    const { port } = server.address() as AddressInfo;
    answer(request, response, { port, token, path, name, files });
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
  const { port } = server.address() as AddressInfo;
  const root = `/${token}/`;
  const fragment = `profileURL=${encodeURIComponent(`${root}profile/${name}`)}&title=${encodeURIComponent(name)}`;
  return { url: `http://127.0.0.1:${port}${root}#${fragment}`, closed };
}

interface Site {
  readonly port: number;
  readonly token: string;
  readonly path: string;
  readonly name: string;
  readonly files: Files;
}

function answer(request: IncomingMessage, response: ServerResponse, site: Site): void {
  const { port, token, name, files } = site;
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Cache-Control', 'no-store');
  const refuse = (status: number) => response.writeHead(status).end();
  // a name that an attacker's DNS points to 127.0.0.1 arrives here with that name
  if (request.headers.host !== `127.0.0.1:${port}`) return void refuse(403);
  if (request.method !== 'GET' && request.method !== 'HEAD') return void refuse(405);
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
  const prefix = `/${token}/`;
  if (!pathname.startsWith(prefix)) return void refuse(404);
  const asked = pathname.slice(prefix.length) || 'index.html';
  if (asked === `profile/${name}`) return void sendProfile(request, response, site.path);
  const body = files.get(asked);
  if (!body) return void refuse(404);
  response.setHeader('Content-Type', types[extname(asked)] ?? 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function sendProfile(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return void response.writeHead(410).end();
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', found.size);
  if (request.method === 'HEAD') return void response.end();
  // a page that is closed while it loads is no failure
  pipeline(createReadStream(path, { end: Math.max(0, found.size - 1) }), response, () => {});
}
