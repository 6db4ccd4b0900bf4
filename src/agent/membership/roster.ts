/** Who is in the pod, as a pure reducer over the kernel's table of listening sockets and what their holders say when they are asked. */
import { limits } from '../../protocol/limits.ts';
import type { Introduction } from './introduction.ts';
import { isOwnPort, type Listener } from './ports.ts';

/** One listening socket of an agent's, for as long as it listens. */
export type Peer = { readonly port: number; readonly inode: string; readonly uid: number | null } & (
  | { readonly is: 'asked' }
  | { readonly is: 'known'; readonly introduction: Introduction }
  /** It listens, and does not answer: its main thread is blocked. `before` is what it said earlier. */
  | { readonly is: 'silent'; readonly askedAt: number; readonly before?: Introduction }
  /** It proved nothing, or says what the kernel does not. */
  | { readonly is: 'false'; readonly askedAt: number }
);

export interface Roster {
  /** By socket. */
  readonly peers: ReadonlyMap<string, Peer>;
  /** Of the known port: a new leader makes what others said of themselves old. */
  readonly leader: string | undefined;
}

export type RosterEvent =
  | {
      readonly type: 'seen';
      readonly listeners: readonly Listener[];
      readonly own: ReadonlySet<number>;
      readonly known: number;
      readonly at: number;
    }
  | {
      readonly type: 'introduced';
      readonly inode: string;
      readonly introduction: Introduction | undefined;
      readonly at: number;
    }
  | { readonly type: 'silent'; readonly inode: string; readonly at: number };

/** Whom to ask who it is. `waits`: whether it is new, so that an answer is worth waiting for. */
export interface AskEffect {
  readonly inode: string;
  readonly port: number;
  readonly waits: boolean;
}

export const nobody: Roster = { peers: new Map(), leader: undefined };

/** Who did not answer is asked again after this, and who proved nothing much later. */
const silentMs = 1_000;
const falseMs = 60_000;
/** Who is asked at one time: a flood of false peers costs no more. */
const asksLimit = 64;

export function enrol(roster: Roster, event: RosterEvent): readonly [Roster, readonly AskEffect[]] {
  if (event.type === 'seen') return see(roster, event);
  const peer = roster.peers.get(event.inode);
  if (!peer) return [roster, []];
  const socket = { port: peer.port, inode: peer.inode, uid: peer.uid };
  const before = introductionOf(peer);
  const next: Peer =
    event.type === 'silent'
      ? { ...socket, is: 'silent', askedAt: event.at, ...(before && { before }) }
      : event.introduction && agrees(event.introduction, socket)
        ? { ...socket, is: 'known', introduction: event.introduction }
        : { ...socket, is: 'false', askedAt: event.at };
  return [{ ...roster, peers: new Map(roster.peers).set(event.inode, next) }, []];
}

function see(
  roster: Roster,
  { listeners, own, known, at }: RosterEvent & { type: 'seen' },
): readonly [Roster, AskEffect[]] {
  const leader = listeners.find(({ port }) => port === known)?.inode;
  const renewed = leader !== roster.leader;
  const peers = new Map<string, Peer>();
  const asks: AskEffect[] = [];
  for (const { port, inode, uid } of listeners) {
    if (!isOwnPort(port) || own.has(port) || peers.size >= limits.processes) continue;
    const peer = roster.peers.get(inode);
    const isNew = peer === undefined;
    const due =
      isNew ||
      (peer.is === 'known' && renewed) ||
      (peer.is === 'silent' && at - peer.askedAt >= silentMs) ||
      (peer.is === 'false' && at - peer.askedAt >= falseMs);
    const asked = due && asks.length < asksLimit;
    if (asked) asks.push({ inode, port, waits: isNew || peer.is === 'known' });
    // one that is not asked now is new the next time, too
    if (peer) peers.set(inode, peer);
    else if (asked) peers.set(inode, { port, inode, uid, is: 'asked' });
  }
  return [{ peers, leader }, asks];
}

/** What a peer said of itself, now or earlier. */
export function introductionOf(peer: Peer): Introduction | undefined {
  if (peer.is === 'known') return peer.introduction;
  return peer.is === 'silent' ? peer.before : undefined;
}

/** The kernel knows who made a socket. */
function agrees({ info }: Introduction, { uid }: { uid: number | null }): boolean {
  return uid === null || info.uid === null || info.uid === uid;
}
