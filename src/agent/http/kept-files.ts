/** `GET /v1/artifacts/NAME?process=SELECTOR`: the bytes of a kept file, from any byte on. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NodeopsError } from '../../protocol/errors.ts';
import { pathPrefix } from '../../protocol/wire.ts';
import { keptHere, noSuchArtifact } from '../operations/recorded.ts';
import type { Resident } from '../resident.ts';
import { OpenFile } from '../store/open-file.ts';

const prefix = `${pathPrefix}artifacts/`;

/** The kept file that a request's path names; undefined for another path. */
export function keptName(path: string): string | undefined {
  return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
}

/** Throws what makes it impossible before anything was sent. */
export async function sendKept(
  { stores }: Resident,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    throw new NodeopsError('bad-request', `an artifact takes GET, not ${request.method}`);
  }
  const file = stores ? stores.open(name) : openOwn(name);
  if (!file) throw noSuchArtifact(name);
  try {
    const { size } = file;
    const [, asked] = /^bytes=(\d{1,15})-$/.exec(request.headers.range ?? '') ?? [];
    const from = Number(asked ?? 0);
    if (from > 0 && from >= size) {
      response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 });
      return void response.end();
    }
    response.writeHead(asked === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': size - from,
      'accept-ranges': 'bytes',
      ...(asked === undefined || size === 0 ? {} : { 'content-range': `bytes ${from}-${size - 1}/${size}` }),
    });
    if (size === 0) return void response.end();
    // a file that is replaced meanwhile keeps its bytes for who has it open
    await pipeline(Readable.from(file.pieces(from, size)), response).catch(() => response.destroy());
  } finally {
    file.close();
  }
}

function openOwn(name: string): OpenFile | undefined {
  const found = keptHere().find(name);
  try {
    return found && new OpenFile(found.path);
  } catch {
    return undefined;
  }
}
