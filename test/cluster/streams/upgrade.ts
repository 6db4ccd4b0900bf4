/** WebSocket requests: the checks before the handshake, each refused as a real server and kubelet refuse it. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { attributesOf, type Handler } from '../api/handler.ts';
import { chooseContainer } from '../api/podcontainer.ts';
import { parseRequest, type RequestInfo } from '../api/request.ts';
import { ApiError, badRequest, forbidden, internal, kubelet as saidByKubelet } from '../api/status.ts';
import type { KubeObject, User } from '../api/types.ts';
import { later } from '../pace.ts';
import { serveExec } from './exec.ts';
import { servePortForward } from './portforward.ts';
import { ServerWebSocket, type SocketHandlers } from './websocket.ts';

export interface UpgradeOptions {
  /** Silence after which the server closes; data frames reset it, pings do not. */
  readonly idleMs: number;
}

export function handleUpgrade(
  handler: Handler,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { idleMs }: UpgradeOptions,
): void {
  socket.on('error', () => socket.destroy());
  refusing(socket, () => {
    const info = parseRequest(request.method ?? 'GET', request.url ?? '/');
    const user = handler.identify(request);
    handler.authorize(user, info);
    const { resource, subresource } = info;
    const streams = subresource === 'portforward' || subresource === 'exec' || subresource === 'attach';
    if (resource?.resource !== 'pods' || !streams) throw badRequest('Upgrade is not supported on this path');
    if (request.headers.upgrade?.toLowerCase() !== 'websocket')
      throw badRequest('unable to upgrade: this cluster speaks WebSocket only (SPDY/3.1 is not there)');
    checkCreate(handler, user, info);
    if (subresource === 'attach') throw badRequest('attach is not supported by the embedded cluster');
    later('stream', () =>
      refusing(socket, () => {
        const serve = subresource === 'portforward' ? preparePortForward(handler, info) : prepareExec(handler, info);
        const protocol = negotiate(request, serve.protocols);
        ServerWebSocket.accept(request, socket, head, {
          protocol,
          idleMs,
          handlers: (made) => serve.start(made, protocol),
        });
      }),
    );
  });
}

function refusing(socket: Duplex, accept: () => void): void {
  try {
    accept();
  } catch (error) {
    refuse(socket, error instanceof ApiError ? error : internal(String(error)));
  }
}

/** A WebSocket is a GET; since 1.36 `create` is asked for as well, and its refusal names nothing. */
function checkCreate(handler: Handler, user: User, info: RequestInfo): void {
  const { group, resource } = info.asked!;
  if (!handler.parts.authorizer.allows(user, attributesOf(info, 'create')))
    throw forbidden(group, resource, info.name, '');
}

interface Prepared {
  /** Those the server speaks; the first is also answered to a client that asks for none. */
  readonly protocols: readonly string[];
  start(socket: ServerWebSocket, protocol: string): SocketHandlers;
}

function negotiate(request: IncomingMessage, protocols: readonly string[]): string {
  const asked = (request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean);
  if (asked.length === 0) return protocols[0]!;
  const chosen = asked.find((protocol) => protocols.includes(protocol));
  if (!chosen)
    throw badRequest(
      `unable to upgrade: unable to negotiate protocol: client supports [${asked.join(' ')}], server accepts [${protocols.join(' ')}]`,
    );
  return chosen;
}

function podOnNode(handler: Handler, info: RequestInfo): KubeObject {
  const pod = handler.parts.objects.get(info.resource!, info.namespace, info.name!);
  if (!pod.spec.nodeName) throw badRequest(`pod ${info.name} does not have a host assigned`);
  return pod;
}

function preparePortForward(handler: Handler, info: RequestInfo): Prepared {
  const ports = info.query
    .getAll('ports')
    .flatMap((text) => text.split(','))
    .map(parsePort);
  const pod = podOnNode(handler, info);
  const { namespace, name } = pod.metadata;
  const worker = handler.parts.kubelet.worker(namespace, name);
  if (ports.length === 0) throw saidByKubelet(400, 'query parameter "port" is required');
  if (!worker?.running) throw saidByKubelet(500, `pod not found ("${name}_${namespace}")`);
  return { protocols: ['v4.channel.k8s.io'], start: (socket) => servePortForward(socket, worker, ports) };
}

function parsePort(text: string): number {
  if (!/^\d+$/.test(text))
    throw badRequest(`cannot convert to []int32: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (Number(text) > 65_535)
    throw badRequest(
      `cannot convert to []int32: strconv.ParseUint: parsing ${JSON.stringify(text)}: value out of range`,
    );
  return Number(text);
}

function prepareExec(handler: Handler, info: RequestInfo): Prepared {
  const flag = (name: string) => ['true', '1'].includes(info.query.get(name) ?? '');
  const pod = podOnNode(handler, info);
  const { namespace, name } = pod.metadata;
  const container = chooseContainer(pod, info.query.get('container'));
  const command = info.query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least one command for the container');
  const [stdin, stdout, stderr, tty] = [flag('stdin'), flag('stdout'), flag('stderr'), flag('tty')];
  if (!stdin && !stdout && !stderr) throw saidByKubelet(400, 'you must specify at least 1 of stdin, stdout, stderr');
  const run = handler.parts.kubelet.worker(namespace, name)?.slot(container)?.run;
  if (!run) throw saidByKubelet(500, `container not found ("${container}")`);
  return {
    protocols: ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    start: (socket, protocol) => serveExec(socket, run, { command, stdin, stdout, stderr, tty, protocol }),
  };
}

function refuse(socket: Duplex, error: ApiError): void {
  const [type, body] = error.plain
    ? ['text/plain; charset=utf-8', error.message]
    : ['application/json', `${JSON.stringify(error.toStatus())}\n`];
  socket.end(
    `HTTP/1.1 ${error.code} ${STATUS_CODES[error.code]}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
