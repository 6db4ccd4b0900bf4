import type { OutboundPool, RequestInFlight, RequestState } from '../../protocol/requests.ts';
import type { LoadModule } from '../evaluate.ts';
import type { Message as Plain, RequestWatch } from './request-watch.ts';

export interface RequestsFigures {
  total: number;
  inFlight: RequestInFlight[];
  pools: OutboundPool[];
}

/** What may be found on what Node calls active; everything is an app's and may be anything. */
interface Message extends Plain {
  headersSent?: boolean;
  finished?: boolean;
  writableEnded?: boolean;
  complete?: boolean;
  req?: Message;
  res?: Message;
  agent?: Agent;
}
interface Active {
  _httpMessage?: Message | null;
  parser?: { incoming?: Message | null };
  remoteAddress?: string;
  remotePort?: number;
  connecting?: boolean;
  listening?: boolean;
}
interface Agent {
  protocol?: string;
  sockets?: Record<string, Active[]>;
  freeSockets?: Record<string, Active[]>;
  requests?: Record<string, Message[]>;
  maxSockets?: number;
}
/** Runs in the target: HTTP under way, found on its handles, and connections kept to others. See evaluate.ts for its limits. */
export function requestsProbe({ limit }: { readonly limit: number }, load: LoadModule): RequestsFigures {
  const key = Symbol.for('nodeops.requests');
  const proc = load('process') as NodeJS.Process & { _getActiveHandles?: () => Active[] };
  const holder = proc as unknown as Record<symbol, RequestWatch | undefined>;
  const found: RequestInFlight[] = [];
  const counted = new Set<object>();
  const agents = new Set<Agent>();
  const clients = new Set<Record<symbol, unknown>>();
  let total = 0;
  const kept = holder[key];
  if (!kept) return { total: 0, inFlight: [], pools: [] };
  const at = (load('perf_hooks') as typeof import('node:perf_hooks')).performance.now();
  const it = {
    try<T>(read: () => T): T | null {
      try {
        return read() ?? null;
      } catch {
        return null;
      }
    },
    symbol<T>(of: object | null | undefined, description: string): T | undefined {
      if (!of) return undefined;
      const found = Object.getOwnPropertySymbols(of).find((symbol) => symbol.description === description);
      return found && ((of as Record<symbol, unknown>)[found] as T);
    },
    path(url: unknown): string {
      return String(url ?? '/')
        .split(/[?#]/, 1)[0]!
        .slice(0, 200);
    },
    peer({ remoteAddress, remotePort }: Active): string | null {
      if (!remoteAddress) return null;
      const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
      return `${address.includes(':') ? `[${address}]` : address}:${remotePort}`;
    },
    add(
      identity: object,
      request: Omit<RequestInFlight, 'ageMs' | 'ageIsLeast' | 'method' | 'path'> & { method: unknown; url: unknown },
    ): void {
      if (counted.has(identity)) return;
      counted.add(identity);
      total++;
      const began = kept.listening?.starts.get(identity);
      const first = began ?? kept.seen.get(identity);
      if (first === undefined) kept.seen.set(identity, at);
      if (found.length >= limit) return;
      const { method, url, ...rest } = request;
      found.push({
        ...rest,
        method: String(method ?? 'GET').slice(0, 20),
        path: it.path(url),
        ageMs: first === undefined ? null : at - first,
        ageIsLeast: began === undefined,
      });
    },
    /** HTTP/1 on a socket, either way. */
    http(socket: Active): void {
      const message = socket._httpMessage;
      if (!message) return;
      const peer = it.peer(socket);
      if (message.req?.method !== undefined) {
        const { req } = message;
        const state = message.headersSent ? 'answering' : req.complete ? 'handling' : 'reading';
        const url = req.originalUrl ?? req.url;
        const route = kept.route(req, url);
        it.add(req, { direction: 'incoming', by: 'http', method: req.method, host: null, url, route, state, peer });
        return;
      }
      if (typeof message.method !== 'string') return;
      if (message.agent) agents.add(message.agent);
      const waits: RequestState = message.writableEnded || message.finished ? 'waiting' : 'sending';
      it.outgoing(message, socket.connecting ? 'connecting' : message.res ? 'receiving' : waits, peer);
    },
    outgoing(message: Message, state: RequestState, peer: string | null): void {
      const { method, path: url } = message;
      const host = typeof message.host === 'string' ? message.host.slice(0, 200) : null;
      const route = kept.route(undefined, url);
      it.add(message, { direction: 'outgoing', by: 'http', method, host, url, route, state, peer });
    },
    hasArrived(stream: { endAfterHeaders?: boolean; _readableState?: { ended?: boolean } }): boolean {
      return stream.endAfterHeaders === true || stream._readableState?.ended === true;
    },
    /** Sessions of a server know their streams; of one without the older interface over it, no more than that there is one. */
    http2(server: Active): void {
      for (const session of it.symbol<Iterable<object & { socket?: Active }>>(server, 'sessions') ?? []) {
        const streams = it.symbol<{ streams?: Map<number, Message & Parameters<typeof it.hasArrived>[0]> }>(
          session,
          'state',
        )?.streams;
        for (const stream of streams?.values() ?? []) {
          const request = it.symbol<Message>(stream, 'request');
          const url = request?.url;
          it.add(stream, {
            ...{ direction: 'incoming', by: 'http2', method: request?.method, host: null, url },
            route: kept.route(request, url),
            state: stream.headersSent ? 'answering' : it.hasArrived(stream) ? 'handling' : 'reading',
            peer: it.try(() => it.peer(session.socket ?? {})),
          });
        }
      }
    },
    /** A client of undici's, found on its socket: those before `running` are done, those from `pending` on wait. */
    undici(socket: Active): void {
      const parser = it.symbol<{ client?: Record<symbol, unknown>; statusCode?: unknown }>(socket, 'parser');
      const { client } = parser ?? {};
      if (!client) return;
      clients.add(client);
      const queue = it.symbol<Message[]>(client, 'queue') ?? [];
      const running = it.symbol<number>(client, 'running index') ?? 0;
      const pending = it.symbol<number>(client, 'pending index') ?? 0;
      queue.slice(running).forEach((request, index) => {
        if (!request) return;
        const state =
          index >= pending - running ? 'queued' : index === 0 && parser?.statusCode ? 'receiving' : 'waiting';
        const { method, path: url } = request;
        const host = it.try(() => new URL(String(request.origin)).host);
        const peer = state === 'queued' ? null : it.peer(socket);
        it.add(request, {
          direction: 'outgoing',
          by: 'undici',
          method,
          host,
          url,
          route: kept.route(undefined, url),
          state,
          peer,
        });
      });
    },
    agentPools(agent: Agent): OutboundPool[] {
      const { sockets = {}, freeSockets = {}, requests = {}, maxSockets } = agent;
      for (const waiting of Object.values(requests))
        for (const request of waiting) it.outgoing(request, 'queued', null);
      const names = new Set([...Object.keys(sockets), ...Object.keys(freeSockets), ...Object.keys(requests)]);
      return [...names].slice(0, 100).map((name) => ({
        kind: agent.protocol === 'https:' ? 'https.Agent' : 'http.Agent',
        // `host:port:localAddress…`, and of TLS much that is nobody's business
        to: name.split(':').slice(0, 2).join(':'),
        used: sockets[name]?.length ?? 0,
        idle: freeSockets[name]?.length ?? 0,
        queued: requests[name]?.length ?? 0,
        limit: typeof maxSockets === 'number' && Number.isFinite(maxSockets) ? maxSockets : null,
      }));
    },
    undiciPools(): OutboundPool[] {
      const pools = new Map<string, OutboundPool>();
      for (const client of clients) {
        const to = String(it.symbol<{ origin?: string }>(client, 'url')?.origin ?? '?');
        const pool = pools.get(to) ?? { kind: 'undici', to, used: 0, idle: 0, queued: 0, limit: null };
        pools.set(to, pool);
        const running = Number(it.symbol(client, 'running index') ?? 0);
        const pending = Number(it.symbol(client, 'pending index') ?? 0);
        if (pending > running) pool.used++;
        else pool.idle++;
        pool.queued += Math.max(0, (it.symbol<unknown[]>(client, 'queue')?.length ?? 0) - pending);
      }
      // a pool with a limit of connections keeps what waits for one itself
      for (const version of ['1', '2']) {
        const agent = (globalThis as unknown as Record<symbol, object>)[
          Symbol.for(`undici.globalDispatcher.${version}`)
        ];
        for (const [origin, entry] of it.symbol<Map<unknown, unknown>>(agent, 'clients') ?? []) {
          const held = entry as { deref?: () => object; dispatcher?: object };
          const dispatcher = held.deref?.() ?? held.dispatcher ?? held;
          const pool = pools.get(String(origin));
          if (!pool) continue;
          pool.queued += Number(it.symbol(dispatcher, 'queued') ?? 0);
          const limit = it.symbol(dispatcher, 'connections');
          if (typeof limit === 'number') pool.limit = limit;
        }
      }
      return [...pools.values()];
    },
  };
  const handles = it.try(() => proc._getActiveHandles?.()) ?? [];
  for (const handle of handles) {
    it.try(() => it.http(handle));
    it.try(() => it.undici(handle));
    if (handle?.listening !== undefined) it.try(() => it.http2(handle));
  }
  for (const name of ['http', 'https'])
    it.try(() => agents.add((load(name) as typeof import('node:http')).globalAgent as unknown as Agent));
  const pools = [...agents].flatMap((agent) => it.try(() => it.agentPools(agent)) ?? []);
  pools.push(...(it.try(() => it.undiciPools()) ?? []));
  return { total, inFlight: found, pools };
}
