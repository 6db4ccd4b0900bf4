/** What a process waits for that Node does not list: told by the kernel. */
import { readChildren } from '../../proc/children.ts';
import { lookAtPool } from '../../proc/pool.ts';
import { plainAddress, readSockets } from '../../proc/sockets.ts';
import type { SocketInfo } from '../../protocol/replies.ts';
import type { Wait } from '../../protocol/waits.ts';
import type { ActiveItem } from '../probes/active.ts';
import type { Subject } from '../subject.ts';
import { lookAtThreads } from '../threads.ts';

/** Work of the pool that Node lists no request for. */
const computing = new Set(['computing', 'waiting for a lock']);
/** Sockets that nothing waits for, such as those kept alive. */
const socketsShown = 200;
const unknown = { ageMs: null, created: null };

/** The sockets of a process without those of whoever looks: the agent's servers, questions and connections to other agents, an inspector's. */
export async function appSockets({ procDir, ownPorts = [], ownThreadId }: Subject): Promise<SocketInfo[]> {
  const sockets = (await readSockets(procDir)) ?? [];
  const ports = new Set(ownPorts.map(String));
  // from outside we are the other end of some: of the inspector's, or of a sleeping process's line to its watcher
  const peers = ownThreadId === undefined ? ((await readSockets('/proc/self')) ?? []) : [];
  const ends = new Set(peers.map(({ local, remote }) => `${plainAddress(remote)} ${plainAddress(local)}`));
  const asked = new Set(peers.map(({ remote }) => portOf(remote)));
  return sockets.filter(({ local, remote, state }) => {
    if (ports.has(portOf(local)) || ports.has(portOf(remote))) return !isLoopback(local);
    if (state === 'LISTEN') return !asked.has(portOf(local)) || !isLoopback(local);
    return !ends.has(`${plainAddress(local)} ${plainAddress(remote)}`);
  });
}

function portOf(address: string | null): string {
  return address?.slice(address.lastIndexOf(':') + 1) ?? '';
}

function isLoopback(address: string): boolean {
  return /^(?:127\.|\[::1\]|\[::ffff:(?:127\.|7f))/.test(address);
}

/** `items`: what Node lists; undefined where the main thread does not say. */
export async function readUnlisted(subject: Subject, items: readonly ActiveItem[] | undefined): Promise<Wait[]> {
  const listed = new Set(items?.flatMap(({ kind, id }) => (kind === 'process' && id !== null ? [id] : [])));
  const children = (readChildren(subject.procDir) ?? []).filter(({ pid }) => !listed.has(pid));
  return [
    ...children.map(({ pid, command, ageSeconds }): Wait => {
      const times = { ageMs: Math.round(ageSeconds * 1000), created: null };
      return { kind: 'process', type: 'ChildProcess', ...times, pid, command };
    }),
    ...poolWork(subject),
    ...(items ? await sockets(subject, items) : []),
  ];
}

/** Work under way in libuv's pool without a request that Node lists: crypto, zlib, addons. */
export function poolWork(subject: Subject): Wait[] {
  const pool = lookAtThreads(subject)?.threads.filter(({ kind }) => kind === 'pool') ?? [];
  return lookAtPool(subject.procDir, pool)
    .work.filter((what) => computing.has(what))
    .map((what) => ({
      ...{ kind: 'other', type: 'ThreadPoolWork', ...unknown, callback: null },
      name:
        what === 'computing'
          ? 'computing in a thread of the pool: crypto, zlib or an addon'
          : `in a thread of the pool, ${what}`,
    }));
}

/** Queries of c-ares, which have sockets of their own, and connections that nothing waits for. */
async function sockets(subject: Subject, items: readonly ActiveItem[]): Promise<Wait[]> {
  const known = new Set(items.map(({ local }) => plainAddress(local)));
  const rest = (await appSockets(subject)).filter(
    ({ local, state }) => state !== 'LISTEN' && !known.has(plainAddress(local)),
  );
  const found: Wait[] = [];
  for (const { protocol, local, remote, state } of rest) {
    if (found.length >= socketsShown) break;
    const peer = plainAddress(remote);
    if (protocol.startsWith('udp') || portOf(remote) === '53') {
      if (peer)
        found.push({
          kind: 'dns',
          type: 'QueryReqWrap',
          ...unknown,
          hostname: `names asked of ${peer}`,
          callback: null,
        });
    } else {
      const rest = { tls: false, bytesRead: null, bytesWritten: null, http: null, unlisted: true };
      found.push({
        kind: 'socket',
        type: 'TCPSocketWrap',
        ...unknown,
        local: plainAddress(local),
        remote: peer,
        state,
        ...rest,
      });
    }
  }
  return found;
}
