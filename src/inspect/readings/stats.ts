import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCpuCgroup } from '../../proc/cgroup.ts';
import { readDescriptors } from '../../proc/descriptors.ts';
import { readPressure } from '../../proc/pressure.ts';
import { readCpuSeconds, readStatus } from '../../proc/status.ts';
import type { PoolUse, StatsReply, ThreadUse } from '../../protocol/replies.ts';
import { askMainThread, recall, remember } from '../ask.ts';
import { delaysOf } from '../delays.ts';
import { evaluateProbe } from '../evaluate.ts';
import { poolSize, readPool } from '../pool.ts';
import { type LoopFigures, loopProbe } from '../probes/loop.ts';
import type { Readings, Subject } from '../subject.ts';
import { learnWorkers, lookAtThreads, type ThreadLook, threadUse } from '../threads.ts';
import { attachWorkers } from '../workers.ts';

type FromMain = Pick<StatsReply, 'handles' | 'requests' | 'errors'> & {
  workers: number;
  uvPool: string | null;
  uptimeSeconds: number;
};

/** Milliseconds to watch where nobody said how long, and nothing is recorded. */
const standardMs = 500;
/** V8 catches SIGPROF while it samples for a CPU profile. */
const sigprof = 1n << 26n;

/** What the kernel had counted at one moment. */
interface Mark {
  readonly at: number;
  readonly cpuSeconds: number | null;
  readonly threads: ThreadLook | null;
}

async function mark(subject: Subject): Promise<Mark> {
  const cpuSeconds = await readCpuSeconds(subject.procDir);
  return { at: performance.now(), cpuSeconds, threads: lookAtThreads(subject) };
}

/**
 * `stats`: looks at the event loop twice, `window` apart, and lets go of the main thread in between. Loop, CPU and threads are of the same
 * window: from the first answer to the second, or while none came.
 */
export const readStats: Readings['stats'] = async (subject, { window = standardMs }) => {
  const watch = window > 0 ? randomUUID() : null;
  let from = await mark(subject);
  const before = await askMainThread(subject, async (inspector) => {
    const lines = await attachWorkers(inspector, subject.ownThreadId);
    await learnWorkers(subject, lines);
    const loop = await evaluateProbe(inspector, loopProbe, { watch, act: 'start' as const, windowMs: window });
    return { loop, workers: lines.length };
  });
  if (!before.stuck) from = await mark(subject);
  let after: Awaited<ReturnType<typeof askLoop>> | undefined;
  if (!before.stuck && window > 0) {
    await sleep(window);
    after = await askLoop(subject, watch, window);
  }
  const to = await mark(subject);
  const measured = window > 0 || before.stuck !== null;
  const windowMs = measured ? to.at - from.at : 0;
  const percent =
    measured && from.cpuSeconds !== null && to.cpuSeconds !== null
      ? ((to.cpuSeconds - from.cpuSeconds) / windowMs) * 100_000
      : null;

  const stuck = before.stuck ?? after?.stuck ?? null;
  const notes: string[] = [];
  let main: FromMain | null;
  if (before.value) {
    const { loop, workers } = before.value;
    // a window later, there may be more of them
    const { errors } = after?.value ?? loop;
    main = remember(subject, 'stats', fromMain({ ...loop, errors }, workers));
  } else {
    const known = recall<FromMain>(subject, 'stats', 'handles, requests, worker threads and errors');
    main = known.figures;
    notes.push(known.note);
  }
  const threads = to.threads && threadUse(measured ? from.threads : null, to.threads);
  const loop = stuck
    ? { utilization: 1, delayP50Ms: null, delayP99Ms: null, delayMaxMs: stuck.forMs }
    : await eventLoop(subject, before.value?.loop, after?.value ?? undefined, threads, notes);
  const pool = await readPool(
    subject,
    to.threads,
    stuck ? null : (before.value?.loop.resources ?? null),
    main?.uvPool ?? null,
  );
  const data = await assemble(subject, main, { ...loop, windowMs }, percent, pool);
  const [descriptors, pressure] = [readDescriptors(subject.procDir), await readPressure(subject.procDir)];
  return { data: { ...data, threadUse: threads, pool, descriptors, pressure }, stuck, notes };
};

function askLoop(subject: Subject, watch: string | null, windowMs: number) {
  return askMainThread(subject, (inspector) =>
    evaluateProbe(inspector, loopProbe, { watch, act: 'read' as const, windowMs }),
  );
}

async function assemble(
  subject: Subject,
  main: FromMain | null,
  eventLoop: StatsReply['eventLoop'],
  percent: number | null,
  pool: PoolUse | null,
): Promise<StatsReply> {
  const [status, cgroup] = await Promise.all([readStatus(subject.procDir), readCpuCgroup(subject.procDir)]);
  const inside = subject.ownThreadId !== undefined;
  const own = inside ? process.cpuUsage() : { user: 0, system: 0 };
  const online = cpus().length;
  const usable = Math.min(status?.allowedCpus ?? online, cgroup?.quota ?? Number.POSITIVE_INFINITY);
  return {
    uptimeSeconds: status?.elapsedSeconds ?? (inside ? process.uptime() : (main?.uptimeSeconds ?? 0)),
    threads: {
      os: status?.threads ?? null,
      workers: main?.workers ?? null,
      uvPool: pool?.size ?? poolSize(main?.uvPool ?? null),
    },
    handles: main?.handles ?? null,
    requests: main?.requests ?? null,
    eventLoop,
    cpu: {
      usable,
      online,
      quota: cgroup?.quota ?? null,
      userSeconds: status?.userSeconds ?? own.user / 1e6,
      systemSeconds: status?.systemSeconds ?? own.system / 1e6,
      throttledSeconds: cgroup?.throttledSeconds ?? null,
      percent,
    },
    errors: main?.errors ?? null,
  };
}

/** Requests are one call under way each; everything else is a handle that lasts. */
const requestType = /(?:ReqWrap|ConnectWrap|SendWrap|ShutdownWrap|WriteWrap|Request|Job)$|^FSReq/;

function fromMain(figures: LoopFigures, workers: number): FromMain {
  return {
    handles: countTypes(figures.resources?.filter((type) => !requestType.test(type))),
    requests: countTypes(figures.resources?.filter((type) => requestType.test(type))),
    workers,
    uvPool: figures.uvPool,
    uptimeSeconds: figures.uptimeSeconds ?? 0,
    errors: figures.errors,
  };
}

function countTypes(types: string[] | undefined): { total: number; byType: Record<string, number> } | null {
  if (!types) return null;
  const byType: Record<string, number> = {};
  for (const type of types) byType[type] = (byType[type] ?? 0) + 1;
  return { total: types.length, byType };
}

async function eventLoop(
  { procDir }: Subject,
  before: LoopFigures | undefined,
  after: LoopFigures | undefined,
  threads: readonly ThreadUse[] | null,
  notes: string[],
): Promise<Omit<StatsReply['eventLoop'], 'windowMs'>> {
  const delays = after?.late ? delaysOf(after.late) : { delayP50Ms: null, delayP99Ms: null, delayMaxMs: null };
  const counted = utilization(before, after);
  const main = threads?.find(({ kind }) => kind === 'main');
  const status = await readStatus(procDir);
  if (counted === null || !main || main.percent === null || !((status?.caughtSignals ?? 0n) & sigprof))
    return { utilization: counted, ...delays };
  // each sample interrupts the wait of the loop, and libuv does not count a wait that was interrupted as idle
  notes.push('a CPU profile is under way: utilization is the CPU of the main thread, and its waits for a CPU');
  const share = (main.percent + (main.waitingPercent ?? 0)) / 100;
  return { utilization: Math.min(counted, Math.max(0, share)), ...delays };
}

function utilization(before: LoopFigures | undefined, after: LoopFigures | undefined): number | null {
  if (before?.idleMs == null || after?.idleMs == null || before.activeMs == null || after.activeMs == null) return null;
  const idle = after.idleMs - before.idleMs;
  const active = after.activeMs - before.activeMs;
  // before the loop's first turn both stay 0
  return idle + active > 0 ? Math.min(1, Math.max(0, active / (idle + active))) : 1;
}
