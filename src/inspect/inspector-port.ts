import { nodeArgumentsOf } from '../proc/command-line.ts';
import { readKernel } from '../proc/files.ts';
import { readSocketInodes, readTable } from '../proc/sockets.ts';
import { readDiscovery } from './remote.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** An inspector answers this at once, from a thread of its own, whatever the main thread does. */
const answerMs = 500;

/** Where a process listens on TCP; null where its descriptors may not be read. */
export async function listeningOn(procDir: string): Promise<Address[] | null> {
  const inodes = await readSocketInodes(procDir);
  if (!inodes) return null;
  return (await listeners(procDir)).filter(({ inode }) => inodes.has(inode));
}

/** Every listening TCP socket of the process's network namespace. */
export async function listeners(procDir: string): Promise<(Address & { inode: string })[]> {
  const tables = await Promise.all([readTable(procDir, 'tcp'), readTable(procDir, 'tcp6')]);
  return tables
    .flat()
    .filter(({ state }) => state === 'LISTEN')
    .map(({ local, inode }) => ({ ...parseLocal(local), inode }));
}

/** Whether a Node.js inspector answers there. An app's own server would see the request, so ask only where one is likely. */
export async function isInspector({ host, port }: Address): Promise<boolean> {
  try {
    const version = await readDiscovery({ host, port, timeoutMs: answerMs }, '/json/version');
    return String((version as { Browser?: unknown } | null)?.Browser).startsWith('node.js/');
  } catch {
    return false;
  }
}

/** How the process was started, as far as its inspector goes: from its arguments and NODE_OPTIONS. */
export interface InspectSettings {
  /** The port it opens its inspector on; 0 for any. */
  readonly port: number;
  /** Whether it was started with an open inspector. */
  readonly open: boolean;
  readonly disabled: boolean;
}

export async function readInspectSettings(procDir: string): Promise<InspectSettings> {
  const [cmdline, environ] = await Promise.all([readKernel(`${procDir}/cmdline`), readKernel(`${procDir}/environ`)]);
  const options = environ?.split('\0').find((entry) => entry.startsWith('NODE_OPTIONS='));
  return parseInspectSettings([
    ...(options?.slice('NODE_OPTIONS='.length).split(/\s+/) ?? []),
    ...nodeArgumentsOf(cmdline?.split('\0') ?? []),
  ]);
}

export function parseInspectSettings(options: readonly string[]): InspectSettings {
  let port = 9229;
  let open = false;
  let disabled = false;
  for (const option of options) {
    const [name = '', value] = option.split('=');
    if (/^--(inspect|debug)-port$|^--inspect(-brk|-wait)?$/.test(name)) {
      open ||= !name.endsWith('-port');
      const given = /(?:^|:)(\d+)$/.exec(value ?? '')?.[1];
      if (given !== undefined) port = Number(given);
    }
    if (name === '--disable-sigusr1') disabled = true;
  }
  return { port, open, disabled };
}

/** `[::]:9229` → where to connect to it: an unspecified address is reached over loopback. */
function parseLocal(local: string): Address {
  const colon = local.lastIndexOf(':');
  const host = local.slice(0, colon).replace(/^\[|\]$/g, '');
  const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  return { host: loopback[host] ?? host, port: Number(local.slice(colon + 1)) };
}
