/** Whose a file in a store is, as its name tells: pid namespace, pid and start time, for pids are used again. */
import { readFileSync, readlinkSync } from 'node:fs';

const owner = /^(\w+)-(\d+)-(\d+)-/;
let own: string | undefined;

/** Begins the names of this process's files. */
export function ownPrefix(): string {
  own ??= prefixOf(process.pid);
  return own;
}

/** The same for another process of this pid namespace. */
export function prefixOf(pid: number): string {
  return `${pidNamespace()}-${pid}-${startTime(pid) ?? 0}-`;
}

/** Whether the process that a name begins with still runs; undefined where that cannot be seen from here, or it names none. */
export function isRunning(name: string): boolean | undefined {
  const [, where, pid, start] = owner.exec(name) ?? [];
  if (where === undefined || where !== pidNamespace()) return undefined;
  const running = startTime(Number(pid));
  return running === undefined ? isAlive(Number(pid)) : running === Number(start);
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))![0];
  } catch {
    return process.platform;
  }
}

/** In clock ticks since boot; undefined where there is no such process, it has ended and was not waited for, or there is no /proc. */
function startTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // the name in parentheses may hold anything; the start time is the 20th field after it
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 0 : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
