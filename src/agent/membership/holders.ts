/** Processes of this container, as the kernel shows them: what one says of itself is not enough to signal it. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ancestors } from '../../proc/ancestors.ts';
import { called } from '../../proc/command-line.ts';
import { startedAt, startTicks } from '../../proc/identity.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { fromEnvironment } from '../settings/agent-settings.ts';
import type { Identity } from './identity.ts';

/** Processes and descriptors that are looked at, at most. */
const processesLooked = 1_024;
const descriptorsLooked = 20_000;

/** Whether process `pid` holds that socket. False where it cannot be seen. */
export function holds(pid: number, inode: string): boolean {
  return links(pid).includes(`socket:[${inode}]`);
}

/** The process of this user and container that holds a socket; undefined where there is none, or it cannot be seen. */
export function holderOf(inode: string): number | undefined {
  const program = linkOf('/proc/self/exe');
  return pids().find((pid) => linkOf(`/proc/${pid}/exe`) === program && holds(pid, inode));
}

/** A file that a process keeps open while SIGUSR1 is its own, for others to see: no program has a use for it. */
const mark = 'coredump_filter';

/** Marks this process; returns what ends that, or undefined where it cannot be done. */
export function markOwnSigusr1(): (() => void) | undefined {
  try {
    const file = openSync(`/proc/self/${mark}`, 'r');
    return () => closeSync(file);
  } catch {
    return undefined;
  }
}

/** Whether SIGUSR1 would reach the app instead of opening the inspector. */
export function ownsSigusr1(pid: number): boolean {
  return links(pid).some((target) => target.endsWith(`/${mark}`));
}

/** What is seen of a process of the same program that has not said who it is. Undefined for one that is gone. */
export function described(pid: number, port: number, { info: own }: Identity): ProcessInfo | undefined {
  const argv = read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
  const [, parent] = /^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`)) ?? [];
  if (argv.length === 0 || parent === undefined) return undefined;
  const ticks = startTicks(pid);
  return {
    ...own,
    pid,
    ppid: Number(parent),
    name: called(argv, 'node', undefined).name.slice(0, 256),
    command: argv.join(' ').slice(0, 4096),
    startedAt: (ticks === undefined ? undefined : startedAt(ticks)) ?? own.startedAt,
    leader: false,
    port,
    parents: ancestors(Number(parent)),
  };
}

/** What a process's variables tell its agent; undefined where they cannot be read, or make no sense. */
export function rulesOf(pid: number): { readOnly: boolean; port: number } | undefined {
  const entries = read(`/proc/${pid}/environ`).split('\0');
  if (entries.length < 2) return undefined;
  try {
    return fromEnvironment(Object.fromEntries(entries.map((entry) => entry.split(/=(.*)/s, 2))));
  } catch {
    return undefined;
  }
}

function pids(): number[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .slice(0, processesLooked)
    .map(Number);
}

function links(pid: number): string[] {
  const directory = `/proc/${pid}/fd`;
  return namesIn(directory)
    .slice(0, descriptorsLooked)
    .map((name) => linkOf(`${directory}/${name}`));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // another user's, or gone
    return '';
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
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
