/** The door's view of agents in other containers: what they say is there, and who keeps which container. */
import { sidecarContainer } from '../../protocol/attach.ts';
import { limits } from '../../protocol/limits.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { type Hello, isKin, type Kinship } from '../lease/messages.ts';
import type { HeldLease } from './leases.ts';
import { refuse } from './sleepers.ts';

/** How long a process that was told to keep its container may take to come back as a peer. */
const nominationMs = 1_000;

interface Peer {
  readonly kin: Kinship;
  readonly info: ProcessInfo;
  processes: readonly ProcessInfo[];
}

export interface Peers {
  take(hello: Hello & { t: 'peer' }, lease: HeldLease, isKept: boolean): void;
  /** Tells a sleeper of another container where to go: to its keeper, to be the keeper, or to ask again. */
  direct(kin: Kinship, lease: HeldLease): void;
  processes(): ProcessInfo[];
  /** The sidecar, if it has registered here. */
  sidecar(): ProcessInfo | undefined;
}

export function peers(ownPorts: () => readonly number[]): Peers {
  const held = new Set<Peer>();
  const nominated: { kin: Kinship; until: number }[] = [];
  const size = () => [...held].reduce((sum, peer) => sum + peer.processes.length, 0);
  // a door that is told of itself as a peer would ask itself for ever
  const plausible = (info: ProcessInfo) => info.port > 0 && !ownPorts().includes(info.port);

  return {
    take(hello, lease, isKept) {
      if (size() >= limits.processes || !plausible(hello.info)) return refuse(lease, 'cannot be registered');
      const kept = isKept || [...held].some((peer) => isKin(peer.kin, hello.kin));
      const peer: Peer = { kin: hello.kin, info: hello.info, processes: [hello.info] };
      held.add(peer);
      lease.ended = () => held.delete(peer);
      lease.heard = (message) => {
        if (message.t !== 'list') return;
        const processes = message.processes.filter(plausible);
        if (size() - peer.processes.length + processes.length > limits.processes) return void lease.socket.destroy();
        peer.processes = processes;
      };
      lease.send({ t: 'registered', sleep: kept });
    },
    direct(kin, lease) {
      const keeper = [...held].find((peer) => isKin(peer.kin, kin));
      if (keeper) lease.send({ t: 'go', port: keeper.info.port });
      else {
        const now = Date.now();
        while (nominated[0] && nominated[0].until < now) nominated.shift();
        if (nominated.some((nomination) => isKin(nomination.kin, kin))) lease.send({ t: 'retry', ms: 200 });
        else {
          if (nominated.length < limits.processes) nominated.push({ kin, until: now + nominationMs });
          lease.send({ t: 'keep' });
        }
      }
      lease.socket.end();
    },
    processes: () => [...held].flatMap((peer) => peer.processes),
    sidecar: () => [...held].find(({ info }) => info.container === sidecarContainer)?.info,
  };
}
