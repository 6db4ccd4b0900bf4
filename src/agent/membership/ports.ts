/**
 * The ports that agents listen on, and who listens on them. The kernel's table of listening sockets is the list of a pod's members: its
 * containers share the network, a socket goes with its process however that ends, and the owner's user is the kernel's word.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Where agents take ports of their own: below the range that the kernel gives out, and away from ports of services. */
export const portRange = { first: 24_576, count: 512 } as const;

/** A listening socket. */
export interface Listener {
  readonly port: number;
  /** The kernel's number of the socket: another one where a port was taken anew. */
  readonly inode: string;
  /** Of the user that made it; null where the system does not say. */
  readonly uid: number | null;
}

export function isOwnPort(port: number): boolean {
  return port >= portRange.first && port < portRange.first + portRange.count;
}

/** Ports to try, beginning with one that depends on the process: containers number theirs alike, and start together. */
export function* ownPorts(pid: number, startedAt: number, taken: ReadonlySet<number>): Generator<number> {
  const start = Math.abs(Math.trunc(pid * 31 + startedAt)) % portRange.count;
  for (let step = 0; step < portRange.count; step++) {
    const port = portRange.first + ((start + step) % portRange.count);
    if (!taken.has(port)) yield port;
  }
}

const entry = /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F:]+ ([0-9A-F]{2}) \S+ \S+ \S+ +(\d+) +\d+ (\d+) /;

/** The listening sockets in a table as /proc/net/tcp shows it: they come before all others. */
export function parseListeners(table: string): Listener[] {
  const found: Listener[] = [];
  for (const line of table.split('\n')) {
    const [, , port = '', state, uid, inode = ''] = entry.exec(line) ?? [];
    if (state === '0A') found.push({ port: Number.parseInt(port, 16), inode, uid: Number(uid) });
  }
  return found;
}

/** Who listens in this network namespace; undefined where that cannot be seen. */
export function readListeners(): Listener[] | undefined {
  const ipv4 = listening('/proc/self/net/tcp');
  // a kernel without IPv6 has no such table
  return ipv4 && [...ipv4, ...(listening('/proc/self/net/tcp6') ?? [])];
}

/** The same from port files: what can be known on systems without the table. */
export function listenersOfFiles(configDir: string): Listener[] {
  const found: Listener[] = [];
  for (const name of namesIn(configDir)) {
    if (!/^\d+$/.test(name)) continue;
    const port = Number(textOf(join(configDir, name)));
    if (isOwnPort(port)) found.push({ port, inode: `${name}:${port}`, uid: null });
  }
  return found;
}

/** Enough for all that listen; read in pieces, since a busy server's table is long and most of it says nothing here. */
const limitBytes = 256 * 1024;
const pieceBytes = 8 * 1024;

function listening(path: string): Listener[] | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const piece = Buffer.allocUnsafe(pieceBytes);
    let text = '';
    while (text.length < limitBytes) {
      const read = readSync(file, piece, 0, pieceBytes, null);
      if (read === 0) break;
      text += piece.toString('latin1', 0, read);
      if (!lastLineListens(text)) break;
    }
    return parseListeners(text);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function lastLineListens(text: string): boolean {
  const whole = text.slice(0, text.lastIndexOf('\n'));
  const [, , , state] = entry.exec(whole.slice(whole.lastIndexOf('\n') + 1)) ?? [];
  return state === undefined || state === '0A';
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
