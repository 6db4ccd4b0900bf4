/** Who else is in the container, as the kernel shows it: asked when memory is short, to tell who has most of it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Neighbour {
  readonly pid: number;
  readonly rssBytes: number;
}

/** Processes that are looked at, at most. */
const looked = 512;

/** The Node processes of this cgroup that can be seen from here, this one included, the largest first. */
export function nodesHere(): Neighbour[] {
  const group = read('/proc/self/cgroup');
  const node = executable('self');
  return pids()
    .filter((pid) => executable(pid) === node && read(`/proc/${pid}/cgroup`) === group)
    .map((pid) => ({ pid: Number(pid), rssBytes: residentBytes(Number(pid)) ?? 0 }))
    .sort((one, other) => other.rssBytes - one.rssBytes);
}

/** Undefined for a process that is gone. */
export function residentBytes(pid: number): number | undefined {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function pids(): string[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .slice(0, looked);
  } catch {
    return [];
  }
}

function executable(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // another user's, or gone
    return '';
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
