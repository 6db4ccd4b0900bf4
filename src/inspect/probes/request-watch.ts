import type { LoadModule } from '../evaluate.ts';

/** What may be found on a request or response; everything is an app's and may be anything. */
export interface Message {
  method?: string;
  url?: string;
  path?: string;
  originalUrl?: string;
  baseUrl?: string;
  route?: { path?: unknown };
  host?: string;
  statusCode?: number;
  origin?: string;
}

/** What ended on one route; `ms`: of the first some hundred that also began meanwhile. */
export interface RouteTimes {
  direction: 'incoming' | 'outgoing';
  method: string;
  host: string | null;
  route: string;
  count: number;
  failed: number;
  ms: number[];
}

interface Listening {
  readonly endAt: number;
  readonly starts: WeakMap<object, number>;
  readonly routes: Map<string, RouteTimes>;
  stop(): void;
}

/** Left in the target for the next look: `process[Symbol.for('nodeops.requests')]`, not enumerable. It keeps nothing of the app alive. */
export interface RequestWatch {
  /** When a request was first seen. */
  readonly seen: WeakMap<object, number>;
  listening: Listening | null;
  /** The framework's route, or the path with what looks like an id as `:id`. */
  route(message: Message | undefined, url: unknown): string;
}

export interface WatchQuestion {
  /** `start` listens for `windowMs` and a second at most, whatever becomes of who asked. */
  readonly act: 'start' | 'read' | 'none';
  readonly windowMs: number;
}

/**
 * Runs in the target: between `start` and `read`, what ends on each route, by Node's own diagnostics channels, which are left again by
 * `read` or with the first event after its time. Null where nobody listened. See evaluate.ts for its limits.
 */
export function watchRequests({ act, windowMs }: WatchQuestion, load: LoadModule): RouteTimes[] | null {
  const key = Symbol.for('nodeops.requests');
  const routesLimit = 500;
  const timesLimit = 400;
  const proc = load('process') as NodeJS.Process;
  const holder = proc as unknown as Record<symbol, RequestWatch | undefined>;
  const clock = (load('perf_hooks') as typeof import('node:perf_hooks')).performance;
  const { setImmediate } = load('timers') as typeof import('node:timers');
  const it = {
    try<T>(read: () => T): T | null {
      try {
        return read() ?? null;
      } catch {
        return null;
      }
    },
    /** Express tells its route; for others what looks like an id is left out. */
    route(message: Message | undefined, url: unknown): string {
      const own = message?.route?.path;
      if (typeof own === 'string') return `${message?.baseUrl ?? ''}${own}`.slice(0, 200);
      return String(url ?? '/')
        .split(/[?#]/, 1)[0]!
        .slice(0, 200)
        .split('/')
        .map((part) => (it.isId(part) ? ':id' : part))
        .join('/');
    },
    isId(part: string): boolean {
      if (/^\d+$/.test(part) || part.includes('@') || part.includes('%40')) return true;
      if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(part) || /^[0-9a-f]{12,}$/i.test(part)) return true;
      return part.length >= 16 && /\d/.test(part) && /[a-z]/i.test(part);
    },
    begin(listening: Listening, of: Message | undefined): void {
      if (of) listening.starts.set(of, clock.now());
    },
    end(
      { routes, starts }: Listening,
      of: Message,
      route: Pick<RouteTimes, 'direction' | 'host' | 'route'>,
      failed: boolean,
    ): void {
      const method = String(of.method).slice(0, 20);
      const name = `${route.direction} ${method} ${route.host} ${route.route}`;
      const times = routes.get(name) ?? { ...route, method, count: 0, failed: 0, ms: [] };
      if (!routes.has(name) && routes.size >= routesLimit) return;
      routes.set(name, times);
      times.count++;
      if (failed) times.failed++;
      const began = starts.get(of);
      if (began !== undefined && times.ms.length < timesLimit) times.ms.push(clock.now() - began);
    },
    answered(listening: Listening, request: Message | undefined, response: Message | undefined): void {
      if (!request) return;
      const route = it.route(request, request.originalUrl ?? request.url);
      it.end(listening, request, { direction: 'incoming', host: null, route }, Number(response?.statusCode) >= 500);
    },
    received(listening: Listening, request: Message | undefined, failed: boolean): void {
      if (!request) return;
      const host = request.host ?? it.try(() => new URL(String(request.origin)).host);
      const route = it.route(undefined, request.path);
      it.end(listening, request, { direction: 'outgoing', host: host === null ? null : String(host), route }, failed);
    },
    listen(watch: RequestWatch): void {
      watch.listening?.stop();
      const channels = load('diagnostics_channel') as typeof import('node:diagnostics_channel');
      const listening: Listening = {
        endAt: clock.now() + windowMs + 1_000,
        starts: new WeakMap(),
        routes: new Map(),
        stop() {
          for (const [name, hear] of hearers) channels.unsubscribe(name, hear);
          if (watch.listening === listening) watch.listening = null;
        },
      };
      // pairs, for a function that is a property's value would be wrapped as evaluate.ts says
      const heard: [string, (event: { request?: Message; response?: Message }) => void][] = [
        ['http.server.request.start', ({ request }) => it.begin(listening, request)],
        ['http.server.response.finish', ({ request, response }) => it.answered(listening, request, response)],
        ['http.client.request.start', ({ request }) => it.begin(listening, request)],
        [
          'http.client.response.finish',
          ({ request, response }) => it.received(listening, request, Number(response?.statusCode) >= 500),
        ],
        ['http.client.request.error', ({ request }) => it.received(listening, request, true)],
        ['undici:request:create', ({ request }) => it.begin(listening, request)],
        ['undici:request:trailers', ({ request }) => it.received(listening, request, false)],
        ['undici:request:error', ({ request }) => it.received(listening, request, true)],
      ];
      const hearers = heard.map(([name, hear]): [string, (event: unknown) => void] => [
        name,
        // what one of ours throws would be the app's uncaught exception
        (event) => it.try(() => (clock.now() > listening.endAt ? listening.stop() : hear(event as object))),
      ]);
      for (const [name, hear] of hearers) channels.subscribe(name, hear);
      watch.listening = listening;
    },
  };
  if (!holder[key]) {
    const value: RequestWatch = { seen: new WeakMap(), listening: null, route: it.route };
    Object.defineProperty(proc, key, { value, configurable: true, enumerable: false });
  }
  const watch = holder[key]!;
  const { listening } = watch;
  // an interrupt may come between two steps of Node's own: channels are joined and left where the loop calls us, and there is none yet under --inspect-brk
  if (act === 'start' && clock.nodeTiming.bootstrapComplete >= 0) setImmediate(() => it.try(() => it.listen(watch)));
  if (act !== 'read' || !listening) return null;
  setImmediate(() => it.try(() => listening.stop()));
  return [...listening.routes.values()];
}
