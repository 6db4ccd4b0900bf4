/** The sleepers of this agent's container: a port on loopback for each, and the word to others in case this agent goes. */
import type { Server } from 'node:net';
import { limits } from '../../protocol/limits.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { removeStalePortFile } from '../config-dir.ts';
import type { Hello, Sibling } from '../lease/messages.ts';
import { addresses, holds, startTicks } from './holder.ts';
import type { HeldLease } from './leases.ts';
import { napping } from './napping.ts';
import { orphans } from './orphans.ts';
import type { Front, Resident } from './pod.ts';

export interface Sleepers {
  take(hello: Hello & { t: 'sleeper' }, lease: HeldLease): void;
  /** A woken worker says where it listens. */
  woken(hello: Hello & { t: 'awake' }, lease: HeldLease): void;
  all(): Resident[];
}

interface Parts {
  readonly configDir: string;
  readonly keeper: ProcessInfo;
  /** Sleepers of an earlier keeper, which may be blocked and unable to come by themselves. */
  readonly inherited: readonly Sibling[];
  keeperPort(): number;
  open(front: () => Front): Server;
  /** The list of processes has changed. */
  changed(): void;
}

/** How many sleepers are told of the others. */
const heirs = 8;
const siblingsTold = 64;

export function sleepers({ configDir, keeper, inherited, keeperPort, open, changed }: Parts): Sleepers {
  const held = new Map<HeldLease, { resident: Resident; sibling: () => Sibling | undefined }>();
  const expected = new Map<string, (port: number, lease: HeldLease) => void>();
  const left = orphans(inherited, configDir, open, changed);
  let arrivals = 0;
  let count = 0;
  let telling: NodeJS.Timeout | undefined;

  function take(hello: Hello & { t: 'sleeper' }, lease: HeldLease): void {
    if (count >= limits.processes) return void refuse(lease, `${limits.processes} processes are registered already`);
    count++;
    let ownSigusr1 = hello.ownSigusr1;
    const nap = napping(lease, expected);
    const isItself = () => holds(hello.info.pid, lease.socket);
    let resident: Resident = {
      info: hello.info,
      version: hello.version,
      asleep: { wake: nap.wake, ownsSigusr1: () => ownSigusr1, isItself },
    };
    const server = open(() => resident);
    lease.heard = (message) => {
      if (message.t === 'sigusr1') {
        ownSigusr1 = message.own;
        tellHeirs();
      } else if (message.t === 'short') void nap.wake().catch(() => {});
      else if (message.t === 'waking' || message.t === 'late') nap.heard(message.t);
    };
    lease.ended = () => {
      count--;
      held.delete(lease);
      nap.end();
      removeStalePortFile(configDir, resident.info.pid, resident.info.port);
      server.close();
      changed();
    };
    server.on('error', () => lease.socket.destroy());
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      const { port } = server.address() as { port: number };
      if (lease.socket.destroyed) return void server.close();
      resident = { ...resident, info: { ...hello.info, port } };
      let ticks: string | undefined;
      held.set(lease, {
        resident,
        sibling() {
          // once seen to be what it says, a process stays it as long as it holds the lease
          ticks ??= isItself() ? startTicks(hello.info.pid) : undefined;
          const info = { ...hello.info, command: hello.info.command.slice(0, 256) };
          return ticks === undefined ? undefined : { info, version: hello.version, ownSigusr1, startTicks: ticks };
        },
      });
      left.came(hello.info.pid);
      lease.send({ t: 'welcome', port, rank: arrivals++, keeper: { pid: keeper.pid, port: keeperPort() } });
      changed();
      tellHeirs();
    });
  }

  /** Not at once: processes come together, and each telling is as long as the list. */
  function tellHeirs(): void {
    if (telling) return;
    telling = setTimeout(() => {
      telling = undefined;
      const first = [...held].slice(0, siblingsTold);
      const siblings = first.flatMap(([, { sibling }]) => sibling() ?? []);
      // who has not read the last one is blocked, and no heir
      for (const [lease, { sibling }] of first.slice(0, heirs)) {
        // who has not read the last one is blocked, and no heir; who is not what it says is told nothing
        const pid = sibling()?.info.pid;
        if (pid === undefined || lease.socket.writableLength > 0) continue;
        lease.send({ t: 'siblings', siblings, proof: addresses(pid) });
      }
    }, 100);
  }

  return {
    take,
    woken(hello, lease) {
      const answer = expected.get(hello.key);
      if (!answer) return void refuse(lease, 'not expected');
      expected.delete(hello.key);
      lease.send({ t: 'known' });
      answer(hello.port, lease);
    },
    all: () => [...[...held.values()].map(({ resident }) => resident), ...left.all()],
  };
}

/** Says no, and leaves the asker time to read it. */
export function refuse(lease: HeldLease, reason: string): void {
  lease.send({ t: 'refused', reason });
  lease.socket.end();
}
