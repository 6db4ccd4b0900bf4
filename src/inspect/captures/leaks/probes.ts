/** What `leaks` asks inside the target; see evaluate.ts for what such a function may use. Getters and traps of the app are not run. */
import type { KeptBy } from '../../../protocol/leaks.ts';
import type { LoadModule } from '../../evaluate.ts';

export interface LookFigures {
  readonly heapUsedBytes: number;
  readonly arrayBufferBytes: number;
  readonly externalBytes: number;
  readonly handles: Record<string, number>;
  readonly modules: number;
}

export function lookProbe(_: object, load: LoadModule): LookFigures {
  const process = load('process') as NodeJS.Process & { getActiveResourcesInfo?(): string[] };
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo?.() ?? []) handles[kind] = (handles[kind] ?? 0) + 1;
  const { _cache: cache } = load('module') as { _cache?: object };
  return {
    heapUsedBytes: heapUsed,
    arrayBufferBytes: arrayBuffers,
    externalBytes: Math.max(external, arrayBuffers),
    handles,
    modules: cache ? Object.keys(cache).length : 0,
  };
}

/** Called on the array of all functions: those with one of the names. At most so many, and for no longer than 300 ms. */
export function pickFunctions(this: unknown[], names: string[], limit: number): unknown[] {
  const until = Date.now() + 300;
  const wanted = new Set(names);
  const counts = new Map<string, number>();
  const picked: unknown[] = [];
  for (let i = 0; i < this.length && picked.length < limit; i++) {
    if (i % 1024 === 0 && Date.now() > until) break;
    const name = Object.getOwnPropertyDescriptor(this[i], 'name')?.value;
    if (!wanted.has(name)) continue;
    const count = counts.get(name) ?? 0;
    // of a function that leaks itself there may be a million
    if (count >= (name === '' ? limit / 2 : limit / 8)) continue;
    counts.set(name, count + 1);
    picked.push(this[i]);
  }
  return picked;
}

/** Called on the array of all functions: prototypes that have one of `methods` under its name. For no longer than 300 ms. */
export function pickPrototypes(this: unknown[], names: string[], ...methods: unknown[]): unknown[] {
  const until = Date.now() + 300;
  const picked: unknown[] = [];
  for (let i = 0; i < this.length && picked.length < 4; i++) {
    if (i % 1024 === 0 && Date.now() > until) break;
    const prototype = Object.getOwnPropertyDescriptor(this[i], 'prototype')?.value;
    if (prototype === null || typeof prototype !== 'object') continue;
    for (let at = 0; at < names.length; at++) {
      const method = Object.getOwnPropertyDescriptor(prototype, names[at]!)?.value;
      if (method === undefined || method !== methods[at]) continue;
      picked.push(prototype);
      break;
    }
  }
  return picked;
}

/**
 * Collections within three steps of the values, by the path to each; `names` are the values' own. Looks at no more than 4,000 values and
 * for no longer than 50 ms.
 */
export function findCollections(
  this: typeof import('node:util').types,
  names: string[],
  leastSize: number,
  ...values: unknown[]
): Omit<KeptBy, 'from'>[] {
  const until = Date.now() + 50;
  const seen = new Set<unknown>();
  const found: Omit<KeptBy, 'from'>[] = [];
  const open: { value: unknown; path: string; depth: number }[] = values.map((value, i) => ({
    value,
    path: names[i] ?? '?',
    depth: 0,
  }));
  for (let at = 0; at < open.length && at < 4_000 && Date.now() < until; at++) {
    const { value, path, depth } = open[at]!;
    if (value === null || typeof value !== 'object' || seen.has(value) || this.isProxy(value)) continue;
    seen.add(value);
    const steps = {
      inside(inner: unknown, key: unknown): void {
        if (inner === null || typeof inner !== 'object' || depth === 3) return;
        const name = typeof key === 'string' || typeof key === 'number' ? String(key).slice(0, 40) : '…';
        open.push({ value: inner, path: `${path} → ${name}`, depth: depth + 1 });
      },
    };
    if (this.isMap(value)) {
      const size = Reflect.get(Map.prototype, 'size', value) as number;
      if (size >= leastSize) found.push({ path, kind: 'Map', to: size });
      // a cache of caches
      if (size <= 64) Map.prototype.forEach.call(value, steps.inside);
      continue;
    }
    if (this.isSet(value)) {
      const size = Reflect.get(Set.prototype, 'size', value) as number;
      if (size >= leastSize) found.push({ path, kind: 'Set', to: size });
      continue;
    }
    if (ArrayBuffer.isView(value)) continue;
    if (Array.isArray(value) && value.length >= leastSize) found.push({ path, kind: 'Array', to: value.length });
    if (Array.isArray(value) && value.length > 64) continue;
    const keys = Object.getOwnPropertyNames(value);
    if (keys.length >= 4 * leastSize) {
      found.push({ path, kind: 'Object', to: keys.length });
      continue;
    }
    for (const key of keys) steps.inside(Object.getOwnPropertyDescriptor(value, key)?.value, key);
  }
  return found;
}

export function emittersProbe(_: object, load: LoadModule): object {
  return (load('events') as { EventEmitter: { prototype: object } }).EventEmitter.prototype;
}

export function typesProbe(_: object, load: LoadModule): object {
  return (load('util') as typeof import('node:util')).types;
}

/** What the app put on the global object itself. */
export function globalsProbe(): object {
  const own: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(globalThis)) {
    const value = Object.getOwnPropertyDescriptor(globalThis, key)?.value;
    if (value !== null && typeof value === 'object' && value !== globalThis) own[key] = value;
  }
  return own;
}

/** Called on the array of all emitters: listeners by event, the most first. */
export function countListeners(this: object[]): { name: string; count: number }[] {
  const until = Date.now() + 100;
  const counts = new Map<string, number>();
  for (let i = 0; i < this.length; i++) {
    if (i % 256 === 0 && Date.now() > until) break;
    const events = Object.getOwnPropertyDescriptor(this[i], '_events')?.value;
    if (events === null || typeof events !== 'object') continue;
    const prototype = Object.getPrototypeOf(this[i]);
    const maker = prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
    const kind = (maker && Object.getOwnPropertyDescriptor(maker, 'name')?.value) || 'an emitter';
    for (const event of Object.getOwnPropertyNames(events)) {
      const listeners = Object.getOwnPropertyDescriptor(events, event)?.value;
      const name = `${event} of ${kind}`;
      counts.set(name, (counts.get(name) ?? 0) + (Array.isArray(listeners) ? listeners.length : 1));
    }
  }
  return [...counts]
    .map(([name, count]) => ({ name: name.slice(0, 120), count }))
    .sort((a, b) => b.count - a.count)
    .slice(0, 50);
}
