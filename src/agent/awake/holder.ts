/** Who holds the other end of a connection on this machine, from /proc: what a process says of itself is not enough to signal it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Whether process `pid` holds the far end of `socket`. False where that cannot be seen. */
export function holds(pid: number, socket: Socket): boolean {
  const { localPort, remotePort } = socket;
  if (localPort === undefined || remotePort === undefined) return false;
  const ends = new RegExp(
    `^ *\\d+: [0-9A-F]+:${hex(remotePort)} [0-9A-F]+:${hex(localPort)} (?:\\S+ +){6}(\\d+) `,
    'm',
  );
  for (const table of ['tcp', 'tcp6']) {
    const [, inode] = ends.exec(read(`/proc/self/net/${table}`)) ?? [];
    if (inode !== undefined && inode !== '0') return descriptors(pid).includes(`socket:[${inode}]`);
  }
  return false;
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function hex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

/** When a process started, in the kernel's ticks: with its number, what tells it from any other. Undefined where that cannot be seen. */
export function startTicks(pid: number): string | undefined {
  // the name in parentheses may hold anything, spaces and parentheses too
  const stat = read(`/proc/${pid}/stat`);
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === '' || state === 'Z' ? undefined : fields[18];
}

/** What proves to a process that it is looked at from its own container, by its own user. Empty where that is not so. */
export function addresses(pid: number): string {
  return Buffer.from(read(`/proc/${pid}/auxv`), 'latin1').toString('hex');
}
