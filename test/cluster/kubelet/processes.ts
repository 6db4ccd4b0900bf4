import { readdirSync, readFileSync } from 'node:fs';

/** Parent of each process that /proc shows. */
function parents(): Map<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      found.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // ended meanwhile
    }
  }
  return found;
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    // a kernel without CONFIG_PROC_CHILDREN
    return [...parents()].filter(([, parent]) => parent === pid).map(([child]) => child);
  }
}

/** The process and all below it, parents first. */
export function descendantsOf(pid: number): number[] {
  const found = [pid];
  for (const next of found) found.push(...childrenOf(next));
  return found;
}

export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
