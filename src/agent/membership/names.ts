/**
 * Names that one process at a time holds, arbitrated by the kernel: sockets in the abstract namespace, which the containers of a pod share
 * with their network. Who does not hold a name keeps a silent connection to it, and so learns of the holder's end at once.
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { builtin } from '../builtin.ts';
import type { Kinship } from './introduction.ts';
import { listenAt } from './listen.ts';

/** Elsewhere everybody holds every name. */
const arbitrated = process.platform === 'linux';

/** Of the pod's leader: who holds the known port. */
export function leaderName(port: number): string {
  return `\0nodeops-leader-${port}`;
}

/** Of a container's watcher; `candidate`: of who is about to become it. Without a known port a process is by itself. */
export function watcherName(
  { container, files, uid }: Kinship,
  knownPort: number,
  stage: 'watcher' | 'candidate' = 'watcher',
): string {
  return `\0nodeops-${stage}-${container}-${files}-${uid ?? 'user'}-${knownPort || `pid-${process.pid}`}`;
}

/** Whether somebody holds a name, without connecting to it. */
export function isHeld(name: string): boolean {
  if (!arbitrated) return false;
  try {
    return readFileSync('/proc/self/net/unix', 'latin1').includes(`${name.replace('\0', '@')}\n`);
  } catch {
    return false;
  }
}

/** Connections that a holder keeps: what would be more is closed, and tries again later. */
const linksLimit = 512;

/** Takes a name, and then keeps whatever connects until it says something. Undefined when it is another's. */
export function hold(name: string): { release(): void } | undefined {
  if (!arbitrated) return { release() {} };
  const links = new Set<Socket>();
  const listening = listenAt(name, (link) => {
    if (links.size >= linksLimit) return void link.destroy();
    const end = () => link.destroy();
    links.add(link);
    link.unref();
    link.on('close', () => links.delete(link));
    // there is nothing to say here
    link.on('data', end).on('end', end);
  });
  if (typeof listening === 'number') return undefined;
  return {
    release() {
      listening.close();
      for (const link of links) link.destroy();
    },
  };
}

/** Connects to who holds a name. `refused` when nobody does; `held`, and `lost` when it ends. */
export function link(name: string, heard: (outcome: 'held' | 'refused' | 'lost') => void): { end(): void } {
  const { connect } = builtin<typeof import('node:net')>('node:net');
  const socket = connect({ path: name });
  socket.unref();
  let held = false;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    socket.destroy();
    heard(held ? 'lost' : 'refused');
  };
  socket.on('connect', () => {
    held = true;
    if (!over) heard('held');
  });
  // a holder says nothing: who does is none
  socket.on('data', finish).on('error', finish).on('end', finish).on('close', finish);
  return {
    end() {
      over = true;
      socket.destroy();
    },
  };
}
