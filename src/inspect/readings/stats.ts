import { randomUUID } from 'node:crypto';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCpuCgroup } from '../../proc/cgroup.ts';
import { readCpuSeconds, readStatus } from '../../proc/status.ts';
import type { StatsReply } from '../../protocol/replies.ts';
import { askMainThread, recall, remember } from '../ask.ts';
import { evaluateProbe } from '../evaluate.ts';
import { type LoopFigures, loopProbe } from '../probes/loop.ts';
import type { Readings, Subject } from '../subject.ts';
import { attachWorkers } from '../workers.ts';

type FromMain = Pick<StatsReply, 'handles' | 'requests' | 'errors'> & {
  workers: number;
  uvPool: number;
  uptimeSeconds: number;
};

/** Milliseconds to watch where nobody said how long, and nothing is recorded. */
const standardMs = 200;

/** `stats`: looks at the event loop twice, `window` apart, and lets go of the main thread in between. */
export const readStats: Readings['stats'] = async (subject, { window = standardMs }) => {
  const watch = window > 0 ? randomUUID() : null;
  const startedAt = performance.now();
  const cpuBefore = await readCpuSeconds(subject.procDir);
  const before = await askMainThread(subject, async (inspector) => ({
    loop: await evaluateProbe(inspector, loopProbe, { watch, act: 'start' as const, windowMs: window }),
    workers: (await attachWorkers(inspector, subject.ownThreadId)).length,
  }));
  let after: Awaited<ReturnType<typeof askLoop>> | undefined;
  if (!before.stuck && window > 0) {
    await sleep(window);
    after = await askLoop(subject, watch, window);
  }
  const windowMs = window === 0 && !before.stuck ? 0 : performance.now() - startedAt;
  const cpuAfter = await readCpuSeconds(subject.procDir);
  const percent =
    windowMs > 0 && cpuBefore !== null && cpuAfter !== null ? ((cpuAfter - cpuBefore) / windowMs) * 100_000 : null;

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
  const loop = stuck
    ? { utilization: 1, delayP50Ms: null, delayP99Ms: null, delayMaxMs: stuck.forMs }
    : eventLoop(before.value?.loop, after?.value ?? undefined);
  return { data: await assemble(subject, main, { ...loop, windowMs }, percent), stuck, notes };
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
): Promise<StatsReply> {
  const [status, cgroup] = await Promise.all([readStatus(subject.procDir), readCpuCgroup(subject.procDir)]);
  const inside = subject.ownThreadId !== undefined;
  const own = inside ? process.cpuUsage() : { user: 0, system: 0 };
  const online = cpus().length;
  const usable = Math.min(status?.allowedCpus ?? online, cgroup?.quota ?? Number.POSITIVE_INFINITY);
  return {
    uptimeSeconds: status?.elapsedSeconds ?? (inside ? process.uptime() : (main?.uptimeSeconds ?? 0)),
    threads: { os: status?.threads ?? null, workers: main?.workers ?? null, uvPool: main?.uvPool ?? poolSize(null) },
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
    uvPool: poolSize(figures.uvPool),
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

/** libuv's own reading of UV_THREADPOOL_SIZE: atoi, 4 without it, from 1 to 1024. */
function poolSize(variable: string | null): number {
  if (variable === null) return 4;
  return Math.min(1_024, Math.max(1, Number.parseInt(variable, 10) || 0));
}

function eventLoop(before: LoopFigures | undefined, after: LoopFigures | undefined) {
  const late = after?.lateMs?.map((ms) => Math.max(0, ms)).sort((a, b) => a - b) ?? [];
  const at = (share: number): number | null => late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? null;
  return { utilization: utilization(before, after), delayP50Ms: at(0.5), delayP99Ms: at(0.99), delayMaxMs: at(1) };
}

function utilization(before: LoopFigures | undefined, after: LoopFigures | undefined): number | null {
  if (before?.idleMs == null || after?.idleMs == null || before.activeMs == null || after.activeMs == null) return null;
  const idle = after.idleMs - before.idleMs;
  const active = after.activeMs - before.activeMs;
  // before the loop's first turn both stay 0
  return idle + active > 0 ? Math.min(1, Math.max(0, active / (idle + active))) : 1;
}
