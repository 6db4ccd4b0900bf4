import type { SocketInfo } from '../protocol/replies.ts';
import { readLinkNow, readNames, readText } from './files.ts';

/** Descriptors that are looked at; a process with more has its further sockets left out. */
const descriptors = 20_000;
/** Sockets in a reply. */
const sockets = 2_000;

const tcpStates: Record<string, string> = {
  '01': 'ESTABLISHED',
  '02': 'SYN_SENT',
  '03': 'SYN_RECV',
  '04': 'FIN_WAIT1',
  '05': 'FIN_WAIT2',
  '06': 'TIME_WAIT',
  '07': 'CLOSE',
  '08': 'CLOSE_WAIT',
  '09': 'LAST_ACK',
  '0A': 'LISTEN',
  '0B': 'CLOSING',
  '0C': 'NEW_SYN_RECV',
};

/** The TCP and UDP sockets of a process; null where its descriptors may not be read. */
export async function readSockets(procDir: string): Promise<SocketInfo[] | null> {
  const inodes = await readSocketInodes(procDir);
  if (!inodes) return null;
  const tables = await Promise.all((['tcp', 'tcp6', 'udp', 'udp6'] as const).map((name) => readTable(procDir, name)));
  return tables
    .flat()
    .filter(({ inode }) => inodes.has(inode))
    .slice(0, sockets)
    .map(({ inode: _, ...socket }) => socket);
}

/** Inodes of the sockets a process holds; null where its descriptors may not be read. */
export async function readSocketInodes(procDir: string): Promise<Set<string> | null> {
  const names = readNames(`${procDir}/fd`);
  if (!names) return null;
  const links = names.slice(0, descriptors).map((name) => readLinkNow(`${procDir}/fd/${name}`));
  return new Set(
    links.map((link) => /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1]).filter((inode) => inode !== undefined),
  );
}

/** One of the kernel's socket tables, of the network namespace of that process. */
export async function readTable(
  procDir: string,
  protocol: SocketInfo['protocol'],
): Promise<(SocketInfo & { inode: string })[]> {
  const text = readText(`${procDir}/net/${protocol}`) ?? '';
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, local = '', remote = '', state = '', queues = '', , , , , inode = ''] = line.trim().split(/\s+/);
      const connected = !/^0+:0000$/.test(remote);
      return {
        protocol,
        local: parseAddress(local),
        remote: connected ? parseAddress(remote) : null,
        state: protocol.startsWith('tcp') ? (tcpStates[state] ?? state) : connected ? 'ESTABLISHED' : 'UNCONN',
        queued: Number.parseInt(queues.split(':')[1] ?? '0', 16),
        inode,
      };
    });
}

/** `0100007F:2290` → `127.0.0.1:8848`. The kernel writes each 32 bits of an address in the machine's byte order: little. */
export function parseAddress(text: string): string {
  const [hex = '', port = '0'] = text.split(':');
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  const address =
    bytes.length === 4 ? bytes.map((byte) => Number.parseInt(byte, 16)).join('.') : `[${shortIPv6(bytes)}]`;
  return `${address}:${Number.parseInt(port, 16)}`;
}

function shortIPv6(bytes: string[]): string {
  const groups = Array.from({ length: 8 }, (_, i) =>
    Number.parseInt(`${bytes[2 * i]}${bytes[2 * i + 1]}`, 16).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** A v4 address that a v6 socket carries, as v4: Node writes `[::ffff:10.0.0.1]:80`, the kernel's table gives `[::ffff:a00:1]:80`. */
export function plainAddress(address: string | null): string | null {
  const [, v4, high, low, port] =
    /^\[::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))\]:(\d+)$/.exec(address ?? '') ?? [];
  if (port === undefined) return address;
  if (v4 !== undefined) return `${v4}:${port}`;
  const [a, b] = [Number.parseInt(high!, 16), Number.parseInt(low!, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}:${port}`;
}
