/**
 * The lease: the connection by which agents of a pod know of each other. An HTTP upgrade, then JSON, one message a line.
 * Its end, however it comes, says that a process is gone: the kernel closes it even on SIGKILL.
 */
import type { ProcessInfo, VersionReply } from '../../protocol/replies.ts';
import { requestHeader } from '../../protocol/wire.ts';

const path = '/v1/lease';
const protocol = 'nodeops-lease';
/** A message, and the head of the upgrade, may be this long. */
export const messageBytes = 256 * 1024;
export const requestStart = `GET ${path} `;

/** What says that two agents may act for each other: same processes visible, same rights, same rules. */
export interface Kinship {
  /** The pid namespace, as the kernel names it; the platform where there are none. */
  readonly container: string;
  readonly uid: number | null;
  readonly readOnly: boolean;
  /** Digest of the token, null for none. */
  readonly token: string | null;
}

/** A sleeper as its keeper passes it on. */
export interface Sibling {
  readonly info: ProcessInfo;
  readonly version: VersionReply;
  readonly ownSigusr1: boolean;
  /** When it started, in the kernel's ticks: its number may be another's by now. */
  readonly startTicks: string;
}

/** First message on a lease. */
export type Hello =
  | { t: 'sleeper'; kin: Kinship; info: ProcessInfo; version: VersionReply; ownSigusr1: boolean }
  | { t: 'peer'; kin: Kinship; info: ProcessInfo }
  | { t: 'awake'; key: string; port: number };

/** What follows from who said hello. */
export type FromGuest =
  | { t: 'waking' }
  | { t: 'late' }
  /** Its heap is short: it wants to be woken, to watch itself. */
  | { t: 'short' }
  | { t: 'sigusr1'; own: boolean }
  | { t: 'list'; processes: ProcessInfo[] };

/** What an agent answers a hello with, and asks later. */
export type FromHost =
  /** To a sleeper: it is looked after; `port` answers for it, `rank` orders who takes over. */
  | { t: 'welcome'; port: number; rank: number; keeper: { pid: number; port: number } }
  /**
   * To the first sleepers: who else is there, for when one of them becomes the keeper and the others are blocked. `proof` is the
   * sleeper's own /proc/PID/auxv in hex: random addresses that only one of the same container and user can read.
   */
  | { t: 'siblings'; siblings: Sibling[]; proof: string }
  /** To a sleeper: its container has no agent awake; be it. */
  | { t: 'keep' }
  /** To a sleeper: another is about to keep this container; ask again. */
  | { t: 'retry'; ms: number }
  /** To a sleeper: its container's agent listens there. */
  | { t: 'go'; port: number }
  /** To a peer: known; and whether its container has another agent awake, so that it should sleep. */
  | { t: 'registered'; sleep: boolean }
  /** To a woken worker: known. */
  | { t: 'known' }
  | { t: 'refused'; reason: string }
  | { t: 'wake'; key: string; at: number };

export function isKin(one: Kinship, other: Kinship): boolean {
  return (
    one.container === other.container &&
    one.uid === other.uid &&
    one.readOnly === other.readOnly &&
    one.token === other.token
  );
}

/** The bytes that open a lease: an HTTP server that is no agent answers them with an error status. */
export function openingBytes(hello: Hello): string {
  return (
    `${requestStart}HTTP/1.1\r\nHost: localhost\r\n${requestHeader}: 1\r\n` +
    `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n${encode(hello)}`
  );
}

export const acceptance = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`;

/** Whether a request's head (without the empty line) asks for a lease, and no browser sent it. */
export function asksForLease(head: string): boolean {
  const lines = head.split('\r\n').map((line) => line.toLowerCase());
  return (
    lines.includes(`upgrade: ${protocol}`) &&
    lines.includes(`${requestHeader}: 1`) &&
    !lines.some((line) => line.startsWith('origin:'))
  );
}

export function isAcceptance(head: string): boolean {
  return head.startsWith('HTTP/1.1 101 ') && head.toLowerCase().includes(`upgrade: ${protocol}`);
}

export function encode(message: Hello | FromGuest | FromHost): string {
  return JSON.stringify(message) + '\n';
}

/**
 * Cuts a byte stream into its head (up to the empty line) and the JSON messages after it.
 * `push` throws when a part is longer than `messageBytes` or is not JSON: the caller drops the connection.
 */
export function leaseReader(
  onHead: (head: string) => void,
  onMessage: (message: unknown) => void,
): (chunk: Uint8Array) => void {
  let headSeen = false;
  let parts: Uint8Array[] = [];
  let length = 0;
  return (chunk) => {
    parts.push(chunk);
    length += chunk.length;
    if (length > messageBytes) throw new RangeError(`more than ${messageBytes} bytes without an end`);
    // only the end of a message is worth joining for
    if (headSeen && !chunk.includes(10)) return;
    let bytes = Buffer.concat(parts);
    while (true) {
      const end = headSeen ? bytes.indexOf(10) : bytes.indexOf('\r\n\r\n');
      if (end < 0) break;
      const text = bytes.toString('utf8', 0, end);
      bytes = bytes.subarray(end + (headSeen ? 1 : 4));
      if (headSeen) onMessage(JSON.parse(text));
      else {
        headSeen = true;
        onHead(text);
      }
    }
    parts = bytes.length > 0 ? [Buffer.from(bytes)] : [];
    length = bytes.length;
  };
}
