import type { Ancestor } from '../protocol/replies.ts';
import { readStat } from './identity.ts';

/** Ancestors that are told of. */
export const ancestorsLimit = 16;

/** The processes above one, nearest first, as far as they can be seen: in a container up to its process 1. */
export function ancestors(ppid: number): Ancestor[] {
  const found: Ancestor[] = [];
  for (let pid = ppid; pid > 0 && found.length < ancestorsLimit; ) {
    const stat = readStat(`/proc/${pid}`);
    // another system, or hidden from this user
    if (!stat) break;
    found.push({ pid, ppid: stat.ppid, name: stat.name.slice(0, 64) });
    pid = stat.ppid;
  }
  return found;
}
