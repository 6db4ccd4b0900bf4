/** A member of a pod that has a thread of its own to answer with: its ports, who else is there, and what the server needs to know of both. */
import type { Socket } from 'node:net';
import type { ProcessInfo } from '../protocol/replies.ts';
import { acceptor } from './http/connections.ts';
import { receive } from './http/receive.ts';
import { type Contention, contend } from './membership/contend.ts';
import { open } from './membership/handshake.ts';
import type { Identity } from './membership/identity.ts';
import type { Introduction } from './membership/introduction.ts';
import { type Listening, listenOn } from './membership/listen.ts';
import { type Peers, peers } from './membership/peers.ts';
import { ownPorts, readListeners } from './membership/ports.ts';
import type { Front, Pod } from './pod.ts';
import type { Resident } from './resident.ts';
import type { Settings } from './settings/agent-settings.ts';
import type { Stores } from './store/stores.ts';

/** Processes that a member answers for besides its own: those that a sidecar finds. It is then no app itself. */
export interface Beyond {
  /** Called once, when the member listens. */
  start(parts: {
    /** A port of its own for one of them; undefined where none is to be had. */
    open(front: () => Front): Listening | undefined;
    /** Processes that agents in them answer for, here and in other containers. */
    agents(): Promise<readonly ProcessInfo[]>;
  }): void;
  all(): readonly Resident[];
  /** See Pod. */
  stores(container: string | undefined): Stores | undefined;
  /** A request has come. */
  used(): void;
}

export interface MemberParts {
  readonly settings: Settings;
  readonly identity: Identity;
  readonly role: Introduction['role'];
  /** The port that this process's main thread listens on; 0 for none. */
  readonly mainPort: number;
  readonly beyond?: Beyond | undefined;
}

export interface Member {
  readonly pod: Pod;
  readonly port: number;
  readonly peers: Peers;
  /** Requests being answered, and connections that wait for an answer. */
  connections(): number;
  /** Tries for the known port from now on; whether it has it already. */
  contend(): boolean;
}

/** How long a worker waits until it tries for the port again. */
const paces = { firstMs: 25, lastMs: 5_000 };

/** Undefined where no port is to be had. */
export function startMember({ settings, identity, role, mainPort, beyond }: MemberParts): Member | undefined {
  let contention: Contention | undefined;
  let self: Resident = { info: identity.info, version: identity.version, asleep: undefined };
  const served = new Set<number>(mainPort > 0 ? [mainPort] : []);
  const leads = () => contention?.leads === true;

  const others = peers({ settings, identity, own: () => served });
  const residents = (): Resident[] => {
    const siblings = others.siblings();
    if (!beyond) return [self, ...siblings];
    // what was found a moment before its agent listened is in the same pid namespace
    return [...siblings, ...found(beyond)];
  };
  const found = (all: Beyond): Resident[] => {
    const pids = others.pidsHere();
    return all.all().filter(({ info }) => !pids.has(info.pid));
  };

  const pod: Pod = {
    settings,
    get self() {
      return self;
    },
    residents,
    refresh: others.refresh,
    list() {
      const here = beyond ? found(beyond).map(({ info }) => info) : [{ ...self.info, leader: leads() }];
      return [...here, ...others.processes()];
    },
    reach: (port) => open(port, 'request', settings.token),
    watcherOf: others.watcherOf,
    ...(beyond && { stores: (container) => beyond.stores(container) }),
    storesElsewhere: others.sidecar,
    notes: () => [...settings.notes, ...(contention?.obstacle ? [contention.obstacle] : [])],
  };

  const serve = receive(pod);
  const way = acceptor({
    token: settings.token,
    isOwn: (port) => served.has(port),
    introduce: (front) => {
      const { info, version } = front === 'pod' ? self : front;
      const isSelf = info === self.info;
      const part = isSelf ? role : 'found';
      return {
        info: { ...info, leader: isSelf && leads() },
        version,
        kin: identity.kin,
        heapLimitBytes: isSelf ? identity.heapLimitBytes : null,
        knownPort: settings.port,
        role: part,
      } satisfies Introduction;
    },
    request: (...request) => {
      beyond?.used();
      serve(...request);
    },
  });

  const openOwn = (front: () => Front): Listening | undefined => {
    const taken = new Set((readListeners() ?? []).map(({ port }) => port));
    for (const port of ownPorts(process.pid, Date.parse(identity.info.startedAt), taken)) {
      const listening = listenOn({ host: '127.0.0.1', port }, (socket: Socket) => way.take(socket, front()));
      if (typeof listening === 'number') continue;
      served.add(port);
      return {
        port,
        close() {
          served.delete(port);
          listening.close();
        },
      };
    }
    return undefined;
  };

  const listening = openOwn(() => self);
  if (!listening) return undefined;
  self = { ...self, info: { ...self.info, port: listening.port } };
  beyond?.start({
    open: openOwn,
    async agents() {
      await others.refresh();
      return others.processes();
    },
  });
  return {
    pod,
    port: listening.port,
    peers: others,
    connections: way.count,
    contend() {
      if (settings.port === 0) return false;
      contention ??= contend({ settings, paces, linkAfterMs: 0, take: (socket) => way.take(socket, 'pod') });
      return contention.leads;
    },
  };
}
