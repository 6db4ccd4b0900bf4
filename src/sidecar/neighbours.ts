/** Which of the processes seen here have an agent of their own, that another program of the pod lists already. */
import { get } from 'node:http';
import { listeningOn } from '../inspect/inspector-port.ts';
import { limits } from '../protocol/limits.ts';
import type { Envelope, ProcessesReply, ProcessInfo } from '../protocol/replies.ts';
import { requestHeader } from '../protocol/wire.ts';

const askMs = 1_000;

/** What the door of the pod lists; nothing where it does not answer in time. */
export function listOf(door: { host: string; port: number }, token: string | null): Promise<ProcessInfo[]> {
  return new Promise((resolve) => {
    const headers = {
      host: 'localhost',
      [requestHeader]: '1',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
    const signal = AbortSignal.timeout(askMs);
    const request = get({ ...door, path: '/v1/processes', headers, agent: false, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        body += piece;
        if (body.length > limits.replyBytes) response.destroy();
      });
      response.on('error', () => resolve([]));
      response.on('end', () => {
        try {
          resolve((JSON.parse(body) as Envelope<ProcessesReply>).data.processes);
        } catch {
          resolve([]);
        }
      });
    });
    request.on('error', () => resolve([]));
  });
}

/**
 * Numbers of the `seen` processes that agents answer for. Another container's process may have the same number: an agent is
 * in this pid namespace when a process that is seen here, or this one as its keeper, listens on its port. Where that cannot be seen, as the process is
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
