import { readFileSync } from 'node:fs';
import type { Ancestor } from '../protocol/replies.ts';

/** Ancestors that are told of. */
export const ancestorsLimit = 16;

/** The processes above one, nearest first, as far as they can be seen: in a container up to its process 1. */
export function ancestors(ppid: number): Ancestor[] {
  const found: Ancestor[] = [];
  for (let pid = ppid; pid > 0 && found.length < ancestorsLimit; ) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, name = '', parent] = /^\d+ \((.*)\) . (\d+) /s.exec(stat) ?? [];
      if (parent === undefined) break;
      found.push({ pid, ppid: Number(parent), name: name.slice(0, 64) });
      pid = Number(parent);
    } catch {
      // another system, or hidden from this user
      break;
    }
  }
  return found;
}
