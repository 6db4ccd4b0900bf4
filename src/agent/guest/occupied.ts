import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';

/**
 * Whether something listens on a TCP port here, without trying: a fraction of a millisecond in the app's start.
 * The kernel lists listening sockets before all others, so the beginning is enough even with many connections.
 * True where it cannot be known.
 */
export function isListening(port: number): boolean {
  const wanted = new RegExp(
    `^ *\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')} [0-9A-F:]+ 0A `,
    'm',
  );
  try {
    return wanted.test(beginning('/proc/self/net/tcp')) || wanted.test(beginning('/proc/self/net/tcp6'));
  } catch (error) {
    // a kernel without IPv6 has no tcp6
    return !(error as { path?: string }).path?.endsWith('tcp6');
  }
}

/**
 * Whether descriptor `descriptor` of process `pid` is the far end of a connection between these ports: only a process of this
 * container, which this one may look into, can say so truly. False with more connections than 1 MiB of the kernel's list shows.
 */
export function isFarEnd(pid: number, descriptor: number, ports: { near: number; far: number }): boolean {
  const end = (port: number) => `[0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const row = new RegExp(`^ *\\d+: ${end(ports.far)} ${end(ports.near)} (?:\\S+ +){6}(\\d+) `, 'm');
  try {
    const [, inode] = row.exec(beginning('/proc/self/net/tcp', 1024 * 1024)) ?? [];
    return inode !== undefined && readlinkSync(`/proc/${pid}/fd/${descriptor}`) === `socket:[${inode}]`;
  } catch {
    return false;
  }
}

function beginning(path: string, limitBytes = 65_536): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(limitBytes);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return bytes.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}
