import type { OutboundPool } from '../../protocol/requests.ts';
import type { LoadModule } from '../evaluate.ts';

/** What stays in the target while it is searched. */
export interface PoolSearch {
  /** Functions whose variables come next, at most so many. */
  take(count: number): unknown[];
  /** Goes on from the variables of those. */
  enter(scopes: readonly unknown[]): void;
  found(): OutboundPool[];
}

/**
 * Runs in the target: objects that look like a pool, told by the names that pg, mysql2, generic-pool, tarn (knex), mongodb, sequelize-pool
 * and p-limit give to what is used, idle, waiting and the most. It walks plain properties from what modules export and from the listeners
 * of servers; the variables of functions are given to it by the inspector. No getter of an object is called that does not look like a pool.
 */
export function searchPools(
  { objects, milliseconds, most }: { objects: number; milliseconds: number; most: number },
  load: LoadModule,
): PoolSearch {
  type Any = Record<string, unknown>;
  const names = {
    queued:
      /^_?(?:waiting(?:Count|Clients?Queue|Queue)?|pending(?:Count|Queue|Acquires)?|numPendingAcquires|connectionQueue|waiters|waitQueue(?:Size)?|queued|acquireQueue)$/,
    idle: /^_?(?:idle(?:Count|Connections)?|available(?:ConnectionCount)?|numFree|free(?:Connections)?)$/,
    used: /^_?(?:borrowed|numUsed|using|used|activeCount|inUse|currentCheckedOutCount|checkedOut|busy)$/,
    total: /^_?(?:totalCount|allConnections|totalConnectionCount|clients|connections|size|all|resources)$/,
    limit: /^_?(?:max|maxSize|connectionLimit|maxPoolSize|concurrency|limit|capacity|poolSize|maxConnections)$/,
  };
  const state = {
    queue: [] as { value: object; name: string }[],
    functions: [] as { value: object; name: string }[],
    seen: new Set<object>(),
    pools: [] as OutboundPool[],
  };
  const it = {
    try<T>(read: () => T): T | undefined {
      try {
        return read();
      } catch {
        return undefined;
      }
    },
    add(value: unknown, name: string): void {
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null || value === globalThis) return;
      if (state.seen.has(value) || state.seen.size >= objects || ArrayBuffer.isView(value)) return;
      state.seen.add(value);
      state.queue.push({ value, name });
    },
    count(of: unknown): number | undefined {
      if (typeof of === 'number') return Number.isFinite(of) && of >= 0 ? of : undefined;
      if (typeof of !== 'object' || of === null) return undefined;
      const { length, size } = of as { length?: unknown; size?: unknown };
      return typeof length === 'number' ? length : typeof size === 'number' ? size : undefined;
    },
    /** Names of an object and of its class, accessors and methods included. */
    keys(of: object): string[] {
      const above = Object.getPrototypeOf(of) as object | null;
      const own = Object.getOwnPropertyNames(of).slice(0, 200);
      return above && above !== Object.prototype && above !== Function.prototype
        ? [...own, ...Object.getOwnPropertyNames(above).slice(0, 200)]
        : own;
    },
    figure(of: object, keys: readonly string[], name: RegExp): number | undefined {
      for (const key of keys) {
        if (!name.test(key)) continue;
        const value = it.try(() => (of as Any)[key]);
        const counts = typeof value === 'function' && /^num[A-Z]/.test(key);
        const found = it.try(() => it.count(counts ? (value as () => unknown).call(of) : value));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    limit(of: object): number | undefined {
      const places = [of, ...['options', '_options', 'config', '_config', 'opts'].map((key) => (of as Any)[key])];
      for (const place of places) {
        if (typeof place !== 'object' && place !== of) continue;
        if (place === null) continue;
        const found = it.figure(place as object, it.keys(place as object), names.limit);
        if (found !== undefined && found >= 1) return found;
      }
      return undefined;
    },
    pool(value: object, name: string): void {
      const keys = it.keys(value);
      // an http.Agent is told by its own; a plain list of options has no queue
      if (!keys.some((key) => names.queued.test(key)) || keys.includes('freeSockets')) return;
      const limit = it.limit(value);
      const queued = it.figure(value, keys, names.queued);
      if (limit === undefined || queued === undefined) return;
      const idle = it.figure(value, keys, names.idle);
      const total = it.figure(value, keys, names.total);
      const used = it.figure(value, keys, names.used) ?? (total === undefined ? undefined : total - (idle ?? 0));
      if (used === undefined || used < 0 || used > limit * 2 || (used === 0 && queued === 0)) return;
      const made = it.try(() => (value.constructor as { name?: string }).name) ?? '';
      const kind = made === '' || made === 'Object' || made === 'Function' ? 'pool' : made;
      if (state.pools.length >= most) return;
      state.pools.push({
        kind: 'pool',
        to: `${kind}${name ? ` '${name}'` : ''}`.slice(0, 100),
        used,
        idle: idle ?? Math.max(0, (total ?? used) - used),
        queued,
        limit,
      });
    },
    children(value: object, name: string): void {
      if (value instanceof Map) for (const each of [...value.values()].slice(0, 50)) it.add(each, name);
      if (Array.isArray(value)) {
        for (const each of value.slice(0, 50)) it.add(each, name);
        return;
      }
      for (const key of Object.getOwnPropertyNames(value).slice(0, 100)) {
        const found = Object.getOwnPropertyDescriptor(value, key);
        if (found && 'value' in found) it.add(found.value, /^(?:exports|default|value|\d+)$/.test(key) ? name : key);
      }
    },
    walk(): void {
      const end = Date.now() + milliseconds;
      while (state.queue.length > 0 && Date.now() < end) {
        const { value, name } = state.queue.shift()!;
        if (typeof value === 'function') state.functions.push({ value, name });
        it.try(() => it.pool(value, name));
        it.try(() => it.children(value, name));
      }
    },
  };
  const proc = load('process') as NodeJS.Process & {
    _getActiveHandles?: () => { listening?: boolean; _events?: Any }[];
  };
  it.try(() => {
    for (const handle of proc._getActiveHandles?.() ?? [])
      if (handle.listening) for (const key of ['request', 'stream', 'connection']) it.add(handle._events?.[key], '');
  });
  it.try(() => {
    const { _cache: modules = {} } = load('module') as { _cache?: Record<string, { exports?: unknown }> };
    for (const file of Object.keys(modules)) {
      if (/[/\\]node_modules[/\\]/.test(file)) continue;
      const name = file.split(/[/\\]/).at(-1)!;
      it.add(modules[file]?.exports, name);
    }
  });
  it.walk();
  return {
    take(count) {
      const next = state.functions.splice(0, count);
      return next.map(({ value }) => value);
    },
    enter(scopes) {
      // each is told as `{ description, object }`
      // an array without a prototype, of `{ description, object }`
      for (const list of scopes)
        for (const scope of Array.isArray(list) ? Array.from(list as { object: object }[]) : [])
          if (scope.object !== globalThis) it.try(() => it.children(scope.object, ''));
      it.walk();
    },
    found() {
      return state.pools;
    },
  };
}
