/** Opt-in: where and when handles, requests and timers are created, for `waits`. Bounded, and never in the app's way. */
import type { Creation, CreationFrame, Creations } from '../../inspect/creations.ts';
import { builtin } from '../builtin.ts';
import { Ring } from './ring.ts';
import { captureSites } from './sites.ts';

const key = Symbol.for('nodeops.creations');

/** Types of async_hooks that are tracked, each with a ring of its own: many requests push out requests and no servers. */
const trackedTypes = new Set([
  ...['TCPSERVERWRAP', 'TCPWRAP', 'TLSWRAP', 'PIPESERVERWRAP', 'PIPEWRAP', 'UDPWRAP', 'TTYWRAP', 'PROCESSWRAP'],
  ...['MESSAGEPORT', 'FSEVENTWRAP', 'STATWATCHER', 'FSREQCALLBACK', 'FSREQPROMISE'],
  ...['GETADDRINFOREQWRAP', 'GETNAMEINFOREQWRAP', 'QUERYWRAP', 'Timeout', 'Interval'],
]);
/** The newest creations of a type that are kept. */
export const keptPerType = 400;
/** Creations that are kept at most. */
export const keptLimit = trackedTypes.size * keptPerType;

interface Record {
  readonly atMs: number;
  /** None where Node made it by itself; null once it was pushed out. */
  frames: readonly CreationFrame[] | null;
}

/** Starts tracking on the thread it is called on; returns what stops it and forgets everything. Never throws. */
export function trackCreations(): () => void {
  try {
    return start();
  } catch {
    // frozen globals, or a Node without async_hooks
    return () => {};
  }
}

function start(): () => void {
  const { createHook, executionAsyncResource } = builtin<typeof import('node:async_hooks')>('node:async_hooks');
  const since = new Date().toISOString();
  // a record goes with its resource; the rings only see to it that not too many hold a stack
  const records = new WeakMap<object, Record>();
  const rings = new Map<string, Ring<Record>>();
  const remember = (type: string, resource: object): void => {
    const kind = type === 'Timeout' && (resource as { _repeat?: unknown })._repeat ? 'Interval' : type;
    if (!trackedTypes.has(kind)) return;
    const own = captureSites(init);
    // what Node makes when a request comes back was wanted by who made the request
    const frames = own.length > 0 ? own : (records.get(executionAsyncResource())?.frames ?? own);
    const record: Record = { atMs: performance.now(), frames };
    records.set(resource, record);
    let ring = rings.get(kind);
    if (!ring) {
      ring = new Ring(keptPerType);
      rings.set(kind, ring);
    }
    const pushedOut = ring.push(record);
    if (pushedOut) pushedOut.frames = null;
  };
  const init = (_id: number, type: string, _trigger: number, resource: object): void => {
    // most are promises: nothing is done for them
    if (type === 'PROMISE') return;
    try {
      remember(type, resource);
    } catch {
      // what a hook throws ends the process
    }
  };
  // Nodes that know trackPromises do not even call us for them
  const options: Parameters<typeof createHook>[0] & { trackPromises?: boolean } = { init, trackPromises: false };
  const hook = createHook(options);
  const creations: Creations = {
    of(resource): Creation | null {
      const record = records.get(resource);
      return record?.frames ? { ageMs: performance.now() - record.atMs, frames: record.frames } : null;
    },
    facts: () => ({ since, kept: [...rings.values()].reduce((sum, { size }) => sum + size, 0), limit: keptLimit }),
  };
  Object.defineProperty(globalThis, key, { value: creations, configurable: true, enumerable: false });
  hook.enable();
  return () => {
    hook.disable();
    rings.clear();
    Reflect.deleteProperty(globalThis, key);
  };
}
