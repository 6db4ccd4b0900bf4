import { closeSync, openSync, readSync } from 'node:fs';

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

/** Enough for all that listen, in pieces: most tables are short. */
const limitBytes = 65_536;

function beginning(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(4_096);
    let text = '';
    while (text.length < limitBytes) {
      const read = readSync(file, bytes, 0, bytes.length, null);
      if (read === 0) break;
      text += bytes.toString('latin1', 0, read);
    }
    return text;
  } finally {
    closeSync(file);
  }
}
