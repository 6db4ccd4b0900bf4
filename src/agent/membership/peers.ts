/** Who else is in the pod, as far as it is known: looked up in the kernel's table, and asked who they are. */
import { mountNamespace } from '../../proc/identity.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import type { Resident } from '../resident.ts';
import type { Settings } from '../settings/agent-settings.ts';
import { HandshakeError, introduced, open } from './handshake.ts';
import { described, holderOf, holds, ownsSigusr1, rulesOf } from './holders.ts';
import type { Identity } from './identity.ts';
import { type Introduction, isKin, parseIntroduction } from './introduction.ts';
import { listenersOfFiles, readListeners } from './ports.ts';
import { type AskEffect, enrol, introductionOf, nobody, type Peer, type RosterEvent } from './roster.ts';

export interface Peers {
  /** Looks who is there; waits for the answers of those that are new. */
  refresh(): Promise<void>;
  /** As of the last look, this process left out. */
  processes(): ProcessInfo[];
  /** Those of this container, user and rules: they can be looked at from outside when they do not answer. */
  siblings(): Resident[];
  /** Numbers of processes in this pid namespace that have an agent. */
  pidsHere(): Set<number>;
  /** The port of the sidecar, if there is one. */
  sidecar(): number | undefined;
  /** The port of the watcher in the container of a process. */
  watcherOf(info: ProcessInfo): number | undefined;
}

interface Parts {
  readonly settings: Pick<Settings, 'token' | 'port' | 'configDir' | 'readOnly'>;
  readonly identity: Identity;
  /** Ports of this process. */
  own(): ReadonlySet<number>;
}

/** One command asks several times: a list is good for so long. */
const freshMs = 100;

/** Of several ports of one process: a worker answers best, and who was found from outside least. */
function rank(introduction: Introduction | undefined): number {
  if (!introduction) return 0;
  return introduction.role === 'found' ? 1 : introduction.role === 'standby' ? 2 : 3;
}

export function peers({ settings, identity, own }: Parts): Peers {
  const { kin } = identity;
  let roster = nobody;
  let looked: { at: number; done: Promise<void> } | undefined;
  /** One object for each sibling as long as its socket lives: what was last known of it is kept by it. */
  const siblings = new Map<string, Resident | undefined>();

  const take = (event: RosterEvent): readonly AskEffect[] => {
    const [next, asks] = enrol(roster, event);
    roster = next;
    return asks;
  };

  // without a known port a process is by itself
  const ofThisPod = (introduction: Introduction | undefined) =>
    introduction && settings.port !== 0 && introduction.knownPort === settings.port ? introduction : undefined;

  async function ask({ inode, port }: AskEffect): Promise<void> {
    try {
      const reply = await introduced(port, settings.token);
      take({ type: 'introduced', inode, introduction: ofThisPod(parseIntroduction(reply)), at: performance.now() });
    } catch (error) {
      const isSilent = error instanceof HandshakeError && error.failure === 'silent';
      if (isSilent) take({ type: 'silent', inode, at: performance.now() });
      else take({ type: 'introduced', inode, introduction: undefined, at: performance.now() });
    }
  }

  async function look(): Promise<void> {
    const listeners = readListeners() ?? listenersOfFiles(settings.configDir);
    const asks = take({ type: 'seen', listeners, own: own(), known: settings.port, at: performance.now() });
    for (const inode of siblings.keys()) if (!roster.peers.has(inode)) siblings.delete(inode);
    await Promise.all(asks.map((one) => (one.waits ? ask(one) : void ask(one))));
  }

  /** One for each process: whose worker is awake has two ports. */
  function all(): { peer: Peer; introduction: Introduction | undefined }[] {
    const best = new Map<string, { peer: Peer; introduction: Introduction | undefined }>();
    for (const peer of roster.peers.values()) {
      const introduction = introductionOf(peer);
      if (!introduction && peer.is !== 'silent') continue;
      const { info, kin: theirs } = introduction ?? {};
      if (introduction?.role === 'sidecar') continue;
      if (info && info.pid === process.pid && theirs && isKin(theirs, kin)) continue;
      const key = info ? `${theirs?.container} ${info.pid}` : peer.inode;
      const other = best.get(key);
      if (!other || rank(introduction) > rank(other.introduction)) best.set(key, { peer, introduction });
    }
    return [...best.values()];
  }

  /** As far as its variables say, where it has not. */
  const followsRules = (pid: number): boolean => {
    const told = rulesOf(pid);
    return (
      told?.readOnly === kin.readOnly && told.port === settings.port && mountNamespace(`/proc/${pid}`) === kin.files
    );
  };

  function sibling(peer: Peer, introduction: Introduction | undefined): Resident | undefined {
    const kept = siblings.get(peer.inode);
    if (kept && (!introduction || kept.info.pid === introduction.info.pid)) return kept;
    if (!introduction && siblings.has(peer.inode)) return undefined;
    const pid = introduction?.info.pid ?? (peer.uid === kin.uid ? holderOf(peer.inode) : undefined);
    const info = introduction?.info ?? (pid === undefined ? undefined : described(pid, peer.port, identity));
    const rules = introduction ? isKin(introduction.kin, kin) : pid !== undefined && followsRules(pid);
    const made: Resident | undefined =
      info && rules && pid !== process.pid
        ? {
            info: { ...info, port: peer.port, leader: false },
            version: introduction?.version ?? identity.version,
            asleep: {
              // who was busy at first tells it later
              get heapLimitBytes() {
                const now = roster.peers.get(peer.inode);
                return (now && introductionOf(now)?.heapLimitBytes) ?? null;
              },
              wake: () =>
                open(peer.port, 'request', settings.token).then(
                  (socket) => {
                    socket.destroy();
                    return peer.port;
                  },
                  () => undefined,
                ),
              ownsSigusr1: () => ownsSigusr1(info.pid),
              isItself: () => holds(info.pid, peer.inode),
            },
          }
        : undefined;
    siblings.set(peer.inode, made);
    return made;
  }

  return {
    refresh() {
      const now = performance.now();
      if (!looked || now - looked.at > freshMs) looked = { at: now, done: look().catch(() => {}) };
      return looked.done;
    },
    processes: () =>
      all().flatMap(({ peer, introduction }) => {
        const info = introduction?.info ?? sibling(peer, undefined)?.info;
        return info ? [{ ...info, port: peer.port }] : [];
      }),
    siblings: () => all().flatMap(({ peer, introduction }) => sibling(peer, introduction) ?? []),
    pidsHere() {
      const here = all().filter(
        ({ introduction: one }) => one?.kin.container === kin.container && one.role !== 'found',
      );
      return new Set(here.map(({ introduction }) => introduction!.info.pid));
    },
    sidecar: () => [...roster.peers.values()].find((peer) => introductionOf(peer)?.role === 'sidecar')?.port,
    watcherOf({ uid, pid, startedAt }) {
      const found = all().map(({ introduction }) => introduction);
      const its = found.find(
        (one) => one?.info.pid === pid && one.info.uid === uid && one.info.startedAt === startedAt,
      )?.kin;
      const watcher = its && found.find((one) => one?.role === 'watcher' && isKin(one.kin, its));
      return watcher && watcher.info.pid !== pid ? watcher.info.port : undefined;
    },
  };
}
