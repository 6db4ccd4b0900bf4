/**
 * What an earlier keeper knew of sleepers that have not come to this one: blocked, they cannot. They are answered for from
 * outside until they come or end.
 */
import type { Server } from 'node:net';
import { removeStalePortFile, writePortFile } from '../config-dir.ts';
import type { Sibling } from '../lease/messages.ts';
import { startTicks } from './holder.ts';
import type { Front, Resident } from './pod.ts';

export interface Orphans {
  /** A sleeper has come by itself. */
  came(pid: number): void;
  all(): Resident[];
}

/** How often it is looked whether they still run. */
const lookMs = 1_000;
/** Within this those come that can: they are then woken, and no signal is needed. */
const comeMs = 800;

export function orphans(
  inherited: readonly Sibling[],
  configDir: string,
  open: (front: () => Front) => Server,
  changed: () => void,
): Orphans {
  const left = new Map<number, { resident: Resident; server: Server }>();
  const come = new Set<number>();
  const drop = (pid: number) => {
    const orphan = left.get(pid);
    if (!left.delete(pid)) return;
    orphan?.server.close();
    if (orphan) removeStalePortFile(configDir, pid, orphan.resident.info.port);
    changed();
  };
  const adopt = () => {
    for (const sibling of inherited) {
      const { pid } = sibling.info;
      const isItself = () => startTicks(pid) === sibling.startTicks;
      if (pid === process.pid || come.has(pid) || !isItself()) continue;
      let resident: Resident = {
        info: sibling.info,
        version: sibling.version,
        asleep: { wake: () => Promise.resolve(undefined), ownsSigusr1: () => sibling.ownSigusr1, isItself },
      };
      const server = open(() => resident);
      server.on('error', () => drop(pid));
      server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
        const { port } = server.address() as { port: number };
        resident = { ...resident, info: { ...sibling.info, port } };
        left.set(pid, { resident, server });
        writePortFile(configDir, pid, port);
        changed();
      });
    }
  };
  const runs = ({ resident }: { resident: Resident }) => resident.asleep?.isItself() === true;
  const look = () => {
    for (const [pid, orphan] of left) if (!runs(orphan)) drop(pid);
    if (left.size > 0) setTimeout(look, lookMs);
  };
  if (inherited.length > 0)
    setTimeout(() => {
      adopt();
      setTimeout(look, lookMs);
    }, comeMs);
  return {
    came(pid) {
      come.add(pid);
      drop(pid);
    },
    all: () => [...left.values()].filter(runs).map(({ resident }) => resident),
  };
}
