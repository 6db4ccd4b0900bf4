import type { AddressInfo } from 'node:net';
import type { LoadModule } from '../evaluate.ts';

/** What is open in the target, by resource type. */
export interface PendingFigures {
  resources: string[] | null;
  /** Details of some of them; there may be fewer than resources of that type. */
  details: { type: string; detail: string }[];
}

/** What may be found on the objects that Node calls active; every one is an app's and may be anything. */
interface Active {
  constructor?: { name?: string };
  _handle?: { constructor?: { name?: string } };
  listening?: boolean;
  address?: () => AddressInfo | string | null;
  remoteAddress?: string;
  remotePort?: number;
  localAddress?: string;
  localPort?: number;
  connecting?: boolean;
  pid?: number;
  spawnfile?: string;
  isTTY?: boolean;
  fd?: number;
  threadId?: number;
  hostname?: string;
  syscall?: string;
  path?: string;
}

/** Runs in the target: what its loop waits for. See evaluate.ts for its limits. */
export function pendingProbe({ limit }: { limit: number }, load: LoadModule): PendingFigures {
  const proc = load('process') as NodeJS.Process & {
    _getActiveHandles?: () => Active[];
    _getActiveRequests?: () => Active[];
  };
  const details: PendingFigures['details'] = [];
  const it = {
    try<T>(read: () => T): T | null {
      try {
        return read();
      } catch {
        return null;
      }
    },
    at(address: string | undefined, port: number | undefined): string {
      return `${address?.includes(':') ? `[${address}]` : address}:${port}`;
    },
    /** Names of handle classes as getActiveResourcesInfo has them. */
    type(active: Active): string {
      const handle = active._handle?.constructor?.name ?? '';
      const own = active.constructor?.name ?? 'Object';
      if (handle === 'TCP') return typeof active.listening === 'boolean' ? 'TCPServerWrap' : 'TCPSocketWrap';
      if (handle === 'Pipe') return typeof active.listening === 'boolean' ? 'PipeServerWrap' : 'PipeWrap';
      if (handle === 'TTY') return 'TTYWrap';
      if (handle === 'UDP') return 'UDPWrap';
      if (handle === 'Process') return 'ProcessWrap';
      return handle || own;
    },
    detail(active: Active): string | null {
      if (typeof active.pid === 'number' && active.spawnfile) return `${active.spawnfile} (pid ${active.pid})`;
      if (typeof active.address === 'function') {
        const address = it.try(() => active.address?.());
        if (typeof address === 'string') return address;
        if (address?.port && !active.remoteAddress) return it.at(address.address, address.port);
      }
      if (active.remoteAddress)
        return `${it.at(active.localAddress, active.localPort)} to ${it.at(active.remoteAddress, active.remotePort)}`;
      if (active.connecting) return 'connecting';
      if (active.isTTY) return `terminal on descriptor ${active.fd}`;
      if (typeof active.threadId === 'number') return `worker ${active.threadId}`;
      if (active.hostname) return `looking up ${active.hostname}`;
      if (active.syscall) return active.path ? `${active.syscall} ${active.path}` : active.syscall;
      return null;
    },
    add(all: Active[] | undefined): void {
      for (const active of all ?? []) {
        const type = it.try(() => it.type(active)) ?? 'Object';
        const detail = it.try(() => it.detail(active));
        if (typeof detail === 'string' && details.length < limit) details.push({ type, detail: detail.slice(0, 200) });
      }
    },
  };
  it.try(() => it.add(proc._getActiveHandles?.()));
  it.try(() => it.add(proc._getActiveRequests?.()));
  return { resources: it.try(() => proc.getActiveResourcesInfo()), details };
}
