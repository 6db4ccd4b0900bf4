/** libuv's pool: who works in it, and how long new work waits. */
import { stat } from 'node:fs';
import { lookAtPool } from '../proc/pool.ts';
import type { PoolUse } from '../protocol/replies.ts';
import type { Subject } from './subject.ts';
import type { ThreadLook } from './threads.ts';

/** A probe that is not served by then is left where it is; the next look finds it there, or gone. */
const probeMs = 100;

let waiting: { readonly since: number; readonly served: Promise<number> } | undefined;

/**
 * How long a piece of work waits in the pool of this process. Only where the pool is there and has no idle thread: else nothing waits, and
 * the first work would start the pool, at a size that the app may still want to choose. One probe at a time.
 */
async function probe(): Promise<{ delayMs: number; delayIsLeast: boolean }> {
  if (!waiting) {
    const since = performance.now();
    const served = new Promise<number>((resolve) => {
      stat('/', () => {
        waiting = undefined;
        resolve(performance.now() - since);
      });
    });
    waiting = { since, served };
  }
  const { since, served } = waiting;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, probeMs, undefined);
  });
  const delayMs = await Promise.race([served, late]).finally(() => clearTimeout(timer));
  return delayMs === undefined
    ? { delayMs: performance.now() - since, delayIsLeast: true }
    : { delayMs, delayIsLeast: false };
}

/** Requests of Node's that the pool serves; crypto and zlib are not among those it lists. */
const served = /^(?:FSReq|GetAddrInfo|GetNameInfo)/;

/** `resources`: as Node lists them; null where the main thread did not say. `variable`: UV_THREADPOOL_SIZE. */
export async function readPool(
  { procDir, ownThreadId }: Subject,
  look: ThreadLook | null,
  resources: readonly string[] | null,
  variable: string | null,
): Promise<PoolUse | null> {
  if (!look) return null;
  const pool = look.threads.filter(({ kind }) => kind === 'pool');
  const { threads, busy, work } = lookAtPool(procDir, pool);
  const listed = resources?.filter((type) => served.test(type)).length;
  const full = threads > 0 && busy === threads;
  const delay = full && ownThreadId !== undefined ? await probe() : undefined;
  const counted = new Map<string, number>();
  for (const what of work) counted.set(what, (counted.get(what) ?? 0) + 1);
  return {
    threads,
    size: threads > 0 ? threads : poolSize(variable),
    busy,
    work: [...counted].map(([what, count]) => ({ what, count })).sort((a, b) => b.count - a.count),
    queued: busy === null ? null : !full ? 0 : listed === undefined ? null : Math.max(0, listed - waitingInIt(work)),
    delayMs: busy === null ? null : full ? (delay?.delayMs ?? null) : 0,
    delayIsLeast: delay?.delayIsLeast ?? false,
  };
}

/** Threads that do what Node lists: the others compute something that it does not. */
function waitingInIt(work: readonly string[]): number {
  return work.filter((what) => what !== 'computing' && what !== 'waiting for a lock').length;
}

/** libuv's own reading of UV_THREADPOOL_SIZE: atoi, 4 without it, from 1 to 1024. */
export function poolSize(variable: string | null): number {
  if (variable === null) return 4;
  return Math.min(1_024, Math.max(1, Number.parseInt(variable, 10) || 0));
}
