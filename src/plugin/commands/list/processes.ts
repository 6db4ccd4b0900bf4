/** The Node processes of this machine, and Go programs with a gops agent, as gops lists Go programs. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { called, isNodeName } from '../../../proc/command-line.ts';
import { Executables } from '../../../proc/executables.ts';
import { type Entry, readTable } from '../../../proc/table.ts';
import { tcpEndpoint } from '../../targets/address.ts';
import { configDirs } from '../../targets/pid.ts';
import { goVersion } from '../../transport/gops/ask.ts';

export interface LocalProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly name: string;
  readonly kind: 'node' | 'go';
  /** `v24.21.0`, `go1.26.1`; null where it cannot be read */
  readonly version: string | null;
  /** Script, or executable where there is no script. */
  readonly path: string;
  readonly command: string;
  readonly uid: number | null;
  /** Where its agent listens on loopback; null without one, or where its file may not be read. */
  readonly port: number | null;
}

export interface LocalProcesses {
  /** Sorted by pid. */
  readonly processes: readonly LocalProcess[];
  /** Every process that can be seen, by pid: what stands above those. */
  readonly all: ReadonlyMap<number, Entry>;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A program of ours that runs elsewhere at the moment is no app. */
const ownNames = /^(?:kubectl-nodeops|kubectl_complete-nodeops|nodeops)(?:\.[cm]?js|\.exe)?$/;

/** Looks through all processes that this user may see. One that ends meanwhile is left out. */
export async function findProcesses({ env, signal }: Surroundings): Promise<LocalProcesses> {
  const all = await readTable();
  const executables = new Executables();
  const ports = await portsIn(configDirs({ env }));
  const look = async (entry: Entry): Promise<LocalProcess | undefined> => {
    if (entry.pid === process.pid) return undefined;
    const found = (await asNode(entry, executables)) ?? (await asGo(entry, executables, ports.get(entry.pid), signal));
    if (!found || isOurs(entry, found)) return undefined;
    const port = ports.get(entry.pid) ?? (await portOf(entry)) ?? null;
    return { pid: entry.pid, ppid: entry.ppid, uid: entry.uid, command: entry.argv.join(' '), ...found, port };
  };
  const found = await Promise.all([...all.values()].map(look));
  const processes = found.filter((one) => one !== undefined).sort((a, b) => a.pid - b.pid);
  return { processes, all };
}

type Found = Pick<LocalProcess, 'name' | 'kind' | 'version' | 'path'>;

async function asNode(
  { pid, executable, argv, directory }: Entry,
  executables: Executables,
): Promise<Found | undefined> {
  const procDir = `/proc/${pid}`;
  if (executable !== undefined) {
    const file = process.platform === 'linux' ? `${procDir}/exe` : executable;
    const runtime = await executables.node(file, executable, procDir);
    return runtime && { ...runtime, ...called(argv, executable, directory) };
  }
  // another user's: its command line is all that shows
  const [command] = argv;
  if (command === undefined || !isNodeName(basename(command))) return undefined;
  return { kind: 'node', version: null, ...called(argv, command, directory) };
}

/** Only what has left a port: whether any other process is Go is not ours to find out. */
async function asGo(
  { pid, executable, argv, name }: Entry,
  executables: Executables,
  port: number | undefined,
  signal: AbortSignal,
): Promise<Found | undefined> {
  if (port === undefined) return undefined;
  const file = process.platform === 'linux' ? `/proc/${pid}/exe` : (executable ?? '');
  const endpoint = tcpEndpoint(`process ${pid}`, '127.0.0.1', port);
  // a file that a process with this number left before is no agent: what listens there has to say so
  const version = (await executables.go(file)) ?? (await goVersion(endpoint, signal).catch(() => undefined));
  if (version === undefined) return undefined;
  const path = executable ?? argv[0] ?? name;
  return { kind: 'go', version, name: basename(path), path };
}

function isOurs({ executable, argv }: Entry, { name }: Found): boolean {
  return ownNames.test(name) || ownNames.test(basename(executable ?? '')) || ownNames.test(basename(argv[0] ?? ''));
}

async function portsIn(dirs: readonly string[]): Promise<Map<number, number>> {
  const ports = new Map<number, number>();
  for (const dir of dirs)
    for (const name of await readdir(dir).catch(() => []))
      if (/^[1-9]\d{0,9}$/.test(name) && !ports.has(Number(name))) {
        const port = await portIn(join(dir, name));
        if (port !== undefined) ports.set(Number(name), port);
      }
  return ports;
}

async function portIn(file: string): Promise<number | undefined> {
  const port = Number((await readFile(file, 'utf8').catch(() => '')).trim());
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** From where the process itself would leave it, which may not be where this user's would. */
async function portOf({ pid }: Entry): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  if (text === '') return undefined;
  const env = Object.fromEntries(
    text.split('\0').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  // a process in another mount namespace has its files elsewhere, and another number in them
  const [its, ours] = await Promise.all(
    [`/proc/${pid}/ns/mnt`, '/proc/self/ns/mnt'].map((link) => readlink(link).catch(() => undefined)),
  );
  if (its === undefined || its !== ours) return undefined;
  for (const dir of configDirs({ env })) {
    const port = await portIn(join(dir, String(pid)));
    if (port !== undefined) return port;
  }
  return undefined;
}
