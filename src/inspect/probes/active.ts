import type { AddressInfo } from 'node:net';
import type { Creation, Creations } from '../creations.ts';
import type { LoadModule } from '../evaluate.ts';

/** Something active in the target; what a kind does not have is null. */
export interface ActiveItem {
  kind: 'server' | 'socket' | 'udp' | 'terminal' | 'process' | 'worker' | 'port' | 'fs' | 'dns' | 'other';
  /** Resource type as getActiveResourcesInfo has it. */
  type: string;
  /** `ADDRESS:PORT`, a path, or `fd N`. */
  local: string | null;
  remote: string | null;
  connecting: boolean;
  tls: boolean;
  connections: number | null;
  bytesRead: number | null;
  bytesWritten: number | null;
  http: { direction: 'incoming' | 'outgoing'; method: string; path: string; host: string | null } | null;
  /** Process id, thread id or descriptor. */
  id: number | null;
  /** Command, host name looked up, or what else names it. */
  name: string | null;
  created: Creation | null;
  /** Index of its callback, -1 for none. */
  callback: number;
}

/** What is open in the target. */
export interface ActiveFigures {
  /** By resource type, one entry for each that keeps the loop alive. */
  resources: string[] | null;
  /** There may be fewer than resources. */
  items: ActiveItem[];
  tracking: ReturnType<Creations['facts']> | null;
  exiting: boolean;
}

/** What may be found on the objects that Node calls active; every one is an app's and may be anything. */
interface Active {
  constructor?: { name?: string };
  _handle?: { constructor?: { name?: string }; _parent?: object };
  _connections?: unknown;
  _httpMessage?: {
    req?: { method?: string; url?: string };
    method?: string;
    path?: string;
    host?: string;
  } | null;
  listening?: boolean;
  address?: () => AddressInfo | string | null;
  remoteAddress?: string;
  remotePort?: number;
  localAddress?: string;
  localPort?: number;
  connecting?: boolean;
  encrypted?: boolean;
  bytesRead?: unknown;
  bytesWritten?: unknown;
  pid?: number;
  spawnfile?: string;
  spawnargs?: string[];
  isTTY?: boolean;
  fd?: number;
  threadId?: number;
  hostname?: string;
  syscall?: string;
  path?: string;
  callback?: unknown;
  oncomplete?: unknown;
  context?: { callback?: unknown; fd?: unknown };
  setMulticastTTL?: unknown;
}

/**
 * Runs in the target: what its loop waits for, timers excepted, as `{ value, functions }` (see functions.ts). See evaluate.ts
 * for its limits.
 */
export function activeProbe(
  { limit }: { limit: number },
  load: LoadModule,
): { value: ActiveFigures; functions: unknown[] } {
  const proc = load('process') as NodeJS.Process & {
    _getActiveHandles?: () => Active[];
    _getActiveRequests?: () => Active[];
  };
  const creations = (globalThis as unknown as Record<symbol, Creations | undefined>)[Symbol.for('nodeops.creations')];
  const items: ActiveItem[] = [];
  const functions: unknown[] = [];
  const it = {
    try<T>(read: () => T): T | null {
      try {
        return read() ?? null;
      } catch {
        return null;
      }
    },
    text(value: unknown): string | null {
      return typeof value === 'string' ? value.slice(0, 200) : null;
    },
    number(value: unknown): number | null {
      return typeof value === 'number' ? value : null;
    },
    at(address: string | undefined, port: number | undefined): string {
      return `${address?.includes(':') ? `[${address}]` : address}:${port}`;
    },
    /** That of a datagram socket lies elsewhere: its `_handle` prints a deprecation warning. */
    handle(active: Active): Active['_handle'] {
      if (typeof active.setMulticastTTL !== 'function') return active._handle;
      const state = Object.getOwnPropertySymbols(active).find(({ description }) => description === 'state symbol');
      return state && (active as Record<symbol, { handle?: Active['_handle'] }>)[state]?.handle;
    },
    /** Without ours: those that wait for the loop's next turn (loop.ts), and histograms of delays, which keep nothing alive. */
    resources(): string[] {
      let own = (proc as unknown as Record<symbol, number>)[Symbol.for('nodeops.immediates')] ?? 0;
      return proc
        .getActiveResourcesInfo()
        .filter((type: string) => type !== 'IntervalHistogram' && !(type === 'Immediate' && own-- > 0));
    },
    /** Names of handle classes as getActiveResourcesInfo has them. */
    type(active: Active): string {
      const handle = it.handle(active)?.constructor?.name ?? '';
      const own = active.constructor?.name ?? 'Object';
      const server = typeof active.listening === 'boolean';
      if (handle === 'TCP' || handle === 'TLSWrap') return server ? 'TCPServerWrap' : 'TCPSocketWrap';
      if (handle === 'Pipe') return server ? 'PipeServerWrap' : 'PipeWrap';
      if (handle === 'TTY') return 'TTYWrap';
      if (handle === 'UDP' || typeof active.setMulticastTTL === 'function') return 'UDPWrap';
      if (handle === 'Process') return 'ProcessWrap';
      return handle || own;
    },
    kind(active: Active, type: string): ActiveItem['kind'] {
      if (typeof active.pid === 'number' && active.spawnfile) return 'process';
      if (type === 'TCPServerWrap' || type === 'PipeServerWrap') return 'server';
      if (type === 'TCPSocketWrap' || type === 'PipeWrap') return 'socket';
      if (type === 'UDPWrap') return 'udp';
      if (type === 'TTYWrap' || active.isTTY) return 'terminal';
      if (type === 'MessagePort') return 'port';
      if (typeof active.threadId === 'number') return 'worker';
      if (type.startsWith('FSReq') || type === 'FileHandleCloseReq') return 'fs';
      if (/^(GetAddrInfo|GetNameInfo|Query)/.test(type)) return 'dns';
      return 'other';
    },
    local(active: Active): string | null {
      const address = typeof active.address === 'function' ? active.address() : null;
      if (typeof address === 'string') return it.text(address);
      if (address?.port) return it.at(address.address, address.port);
      if (active.localAddress) return it.at(active.localAddress, active.localPort);
      return typeof active.fd === 'number' && active.fd >= 0 ? `fd ${active.fd}` : null;
    },
    http({ _httpMessage: message }: Active): ActiveItem['http'] {
      if (!message) return null;
      const asked = message.req?.method === undefined ? message : undefined;
      const { method, url } = asked ? { method: asked.method, url: asked.path } : message.req!;
      if (typeof method !== 'string') return null;
      return {
        direction: asked ? 'outgoing' : 'incoming',
        method: method.slice(0, 20),
        // a query may hold secrets
        path: String(url).split('?', 1)[0]!.slice(0, 200),
        host: asked ? it.text(asked.host) : null,
      };
    },
    name(active: Active): string | null {
      if (active.spawnfile) return it.text((active.spawnargs ?? [active.spawnfile]).join(' '));
      if (active.hostname) return it.text(active.hostname);
      return it.text(
        active.syscall && active.path ? `${active.syscall} ${active.path}` : (active.syscall ?? active.path),
      );
    },
    callback(active: Active): number {
      const found = active.context?.callback ?? active.callback ?? active.oncomplete;
      if (typeof found !== 'function') return -1;
      const known = functions.indexOf(found);
      return known >= 0 ? known : functions.push(found) - 1;
    },
    created(active: Active): Creation | null {
      const handle = it.handle(active);
      return creations?.of(handle ?? active) ?? (handle?._parent ? (creations?.of(handle._parent) ?? null) : null);
    },
    item(active: Active): ActiveItem {
      const type = it.try(() => it.type(active)) ?? 'Object';
      const kind = it.try(() => it.kind(active, type)) ?? 'other';
      return {
        kind,
        type,
        local: it.try(() => it.local(active)),
        remote: it.try(() => (active.remoteAddress ? it.at(active.remoteAddress, active.remotePort) : null)),
        connecting: active.connecting === true,
        tls: active.encrypted === true,
        connections: it.try(() => it.number(active._connections)),
        bytesRead: it.try(() => it.number(active.bytesRead)),
        bytesWritten: it.try(() => it.number(active.bytesWritten)),
        http: it.try(() => it.http(active)),
        id: it.try(() => it.number(active.pid ?? active.threadId ?? active.context?.fd ?? active.fd)),
        name: it.try(() => it.name(active)),
        created: it.try(() => it.created(active)),
        callback: kind === 'fs' || kind === 'dns' || kind === 'other' ? (it.try(() => it.callback(active)) ?? -1) : -1,
      };
    },
    add(all: Active[] | undefined): void {
      for (const active of all ?? []) {
        if (items.length >= limit) return;
        const item = it.try(() => it.item(active));
        if (item) items.push(item);
      }
    },
  };
  it.try(() => it.add(proc._getActiveHandles?.()));
  it.try(() => it.add(proc._getActiveRequests?.()));
  const figures: ActiveFigures = {
    resources: it.try(() => it.resources()),
    items,
    exiting: (proc as { _exiting?: boolean })._exiting === true,
    tracking: it.try(() => creations?.facts() ?? null),
  };
  return { value: figures, functions };
}
