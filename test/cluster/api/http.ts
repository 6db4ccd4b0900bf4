/** Bodies in and answers out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeleteOptions } from './objects.ts';
import { decodeProtobuf, protobufType } from './protobuf.ts';
import type { RequestInfo } from './request.ts';
import { ApiError, badRequest, internal, unsupportedMediaType } from './status.ts';
import type { Json } from './types.ts';

/** Bodies larger than this are refused, as etcd would. */
const bodyLimitBytes = 3 * 1024 * 1024;

export function send(response: ServerResponse, code: number, body: Json): void {
  if (!response.hasHeader('content-type')) response.setHeader('content-type', 'application/json');
  response.writeHead(code).end(`${JSON.stringify(body)}\n`);
}

export function sendError(response: ServerResponse, error: unknown): void {
  const known = error instanceof ApiError ? error : internal(error instanceof Error ? error.message : String(error));
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.removeHeader('content-type');
  if (known.plain) response.writeHead(known.code, { 'content-type': 'text/plain; charset=utf-8' }).end(known.message);
  else send(response, known.code, known.toStatus());
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > bodyLimitBytes)
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${bodyLimitBytes}`, {});
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export async function readJson(request: IncomingMessage): Promise<Json> {
  const type = (request.headers['content-type'] ?? 'application/json').split(';')[0]!.trim();
  const body = await readBody(request);
  if (type === protobufType) return decodeProtobuf(body);
  if (!type.includes('json'))
    throw unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  if (body.length === 0) throw badRequest('unexpected end of JSON input');
  try {
    return JSON.parse(body.toString());
  } catch {
    const shown = body.toString().slice(0, 1);
    throw badRequest(
      `couldn't get version/kind; json parse error: invalid character '${shown}' looking for beginning of value`,
    );
  }
}

export async function deleteOptions(request: IncomingMessage, info: RequestInfo): Promise<DeleteOptions> {
  const body = await readBody(request);
  let options: Json = {};
  try {
    const protobuf = request.headers['content-type']?.startsWith(protobufType);
    options = protobuf && body.length ? decodeProtobuf(body) : body.length ? JSON.parse(body.toString()) : {};
  } catch {
    throw badRequest("couldn't get version/kind; json parse error");
  }
  const grace = info.query.get('gracePeriodSeconds');
  const policy = info.query.get('propagationPolicy');
  return {
    ...options,
    ...(grace ? { gracePeriodSeconds: Number(grace) } : {}),
    ...(policy ? { propagationPolicy: policy } : {}),
  };
}

/** `more` are types that the resource takes besides the usual ones. */
export function patchType(request: IncomingMessage, more: readonly string[] = []): string {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim();
  const accepted = [
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    ...more,
  ];
  if (!accepted.includes(type))
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  return type;
}
