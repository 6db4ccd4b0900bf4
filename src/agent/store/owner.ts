/** Whose a file in a store is, as its name tells: pid namespace, pid and start time, for pids are used again. */
import { hasEnded, isAlive, pidNamespace, readStat, startTicks } from '../../proc/identity.ts';

const owner = /^(\w+)-(\d+)-(\d+)-/;
let own: string | undefined;

/** Begins the names of this process's files. */
export function ownPrefix(): string {
  own ??= prefixOf(process.pid);
  return own;
}

/** The same for another process of this pid namespace. */
export function prefixOf(pid: number): string {
  return `${namespaceId()}-${pid}-${startTicks(pid) ?? 0}-`;
}

/** Whether the process that a name begins with still runs; undefined where that cannot be seen from here, or it names none. */
export function isRunning(name: string): boolean | undefined {
  const [, where, pid, start] = owner.exec(name) ?? [];
  if (where === undefined || where !== namespaceId()) return undefined;
  const stat = readStat(`/proc/${pid}`);
  return stat ? !hasEnded(stat) && stat.startTicks === Number(start) : isAlive(Number(pid));
}

/** As it may stand in a file's name. */
function namespaceId(): string {
  return /\d+/.exec(pidNamespace())?.[0] ?? process.platform;
}
