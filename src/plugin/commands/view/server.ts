/** speedscope on loopback, with one file loaded. Works offline and ends by itself. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { pipeline } from 'node:stream';
import { safePart } from '../../captures/filename.ts';
import { type Asked, refuse, type Served, serveOnLoopback } from './loopback.ts';
import type { Files } from './speedscope-files.ts';

export interface ServeOptions {
  /** The file to show. */
  readonly path: string;
  /** speedscope's own files. */
  readonly files: Files;
  readonly signal: AbortSignal;
  /** @default that of serveOnLoopback */
  readonly idleMs?: number;
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
export async function serveProfile({ path, files, signal, idleMs }: ServeOptions): Promise<Served> {
  const name = safePart(basename(path));
  const profile = `profile/${name}`;
  const answer = (asked: Asked) => (asked.name === profile ? sendProfile(asked, path) : sendFile(asked, files));
  const { url, closed } = await serveOnLoopback({ signal, policy, answer, idleMs });
  const fragment = `profileURL=${encodeURIComponent(new URL(url).pathname + profile)}&title=${encodeURIComponent(name)}`;
  return { url: `${url}#${fragment}`, closed };
}

function sendFile({ name, request, response }: Asked, files: Files): void {
  const asked = name || 'index.html';
  const body = files.get(asked);
  if (!body) return void refuse(response, 404);
  response.setHeader('Content-Type', types[extname(asked)] ?? 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function sendProfile({ request, response }: Asked, path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return refuse(response, 410);
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Length', found.size);
  if (request.method === 'HEAD') return void response.end();
  // a page that is closed while it loads is no failure
  pipeline(createReadStream(path, { end: Math.max(0, found.size - 1) }), response, () => {});
}
