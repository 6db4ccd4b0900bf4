/** Which of the processes seen here have an agent of their own, that another program of the pod lists already. */
import { listeningOn } from '../../inspect/inspector-port.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';

/**
 * Numbers of the `seen` processes that agents answer for. Another container's process may have the same number: an agent is
 * in this pid namespace when a process that is seen here, or this one for it, listens on its port. Where that cannot be seen, as the process is
 * another user's, number and user decide.
 */
export async function withAgents(seen: readonly ProcessInfo[], agents: readonly ProcessInfo[]): Promise<Set<number>> {
  if (agents.length === 0) return new Set();
  const listening = await Promise.all(seen.map(({ pid }) => listeningOn(`/proc/${pid}`)));
  const own = await listeningOn('/proc/self');
  const ports = new Set([own, ...listening].flatMap((addresses) => addresses ?? []).map(({ port }) => port));
  const hidden = new Set(seen.filter((_, i) => listening[i] === null).map(({ pid }) => pid));
  const here = agents.filter(({ port, pid, uid }) => {
    const same = seen.find((one) => one.pid === pid);
    return ports.has(port) || (same !== undefined && hidden.has(pid) && same.uid === uid);
  });
  return new Set(here.map(({ pid }) => pid));
}
