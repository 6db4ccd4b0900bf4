/** Node's HTTP agent over an Endpoint's connections instead of TCP: kept alive and used again. */
import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { Endpoint, Transport } from '../target.ts';

export interface ConnectionRequest extends http.RequestOptions {
  /** Node keeps a request's own signal from its agent. */
  readonly connectSignal: AbortSignal;
}

/** One connection at a time serves a sequence of requests; requests side by side get one each. */
export class EndpointConnections extends http.Agent {
  readonly endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    super({ keepAlive: true, maxFreeSockets: 1 });
    this.endpoint = endpoint;
  }

  override createConnection(
    options: http.ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { connectSignal } = options as ConnectionRequest;
    this.endpoint.connect(connectSignal).then(
      (transport) => callback?.(null, likeSocket(transport)),
      (error) => callback?.(error, undefined as never),
    );
  }
}

/** Node's agent calls these on what it keeps; only a net.Socket has them. */
function likeSocket(transport: Transport): Duplex {
  const nothing = () => transport;
  const socket = transport as Transport & Record<'ref' | 'unref' | 'setKeepAlive' | 'setTimeout', unknown>;
  for (const method of ['ref', 'unref', 'setKeepAlive', 'setTimeout'] as const) socket[method] ??= nothing;
  return transport;
}
