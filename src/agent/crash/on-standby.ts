/**
 * What the watcher of a container keeps of the processes on standby: their resident memory, once a second, as the kernel shows it.
 * Of one that is killed this is the black box; one whose heap may run short by it is woken, and then watches itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCrashRecord } from '../../protocol/crash.ts';
import { seriesNames } from '../../protocol/figures.ts';
import type { HistoryReply } from '../../protocol/history.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import type { Resident } from '../resident.ts';
import { isRunning, prefixOf } from '../store/owner.ts';
import { boxEveryMs, dropBox, hasBox, writeBox } from './box.ts';
import type { Kept } from './kept.ts';
import { residentBytes } from './neighbours.ts';
import { crashRecord } from './record.ts';

/** Processes that are watched, and samples that are kept of each: five minutes. */
const watched = 64;
const samplesKept = 300;

/** The heap is less than what is resident: from this share of its limit on it may be short, and is looked at so often. It may grow where what is resident does not. */
const wakeAt = 0.6;
const wakeAgainMs = 30_000;

/** From the last that a process does of its own accord until it is gone. */
const endingMs = 300;

export interface Sleeping {
  readonly info: ProcessInfo;
  readonly resident: Resident;
  readonly history: HistoryReply;
}

export interface SleepingWatch {
  /** Once a second. `memoryLimitBytes`: of the container. Returns whether one of them has gone. */
  second(memoryLimitBytes: number | null, oomKills: number | null): boolean;
  find(pid: number): Sleeping | undefined;
}

interface Watched {
  readonly resident: Resident;
  readonly owner: string;
  readonly since: number;
  readonly times: number[];
  readonly rss: number[];
  boxedAt: number;
  boxes: number;
  wokenAt: number;
}

export function watchSleeping(kept: Kept, residents: () => readonly Resident[]): SleepingWatch {
  const all = new Map<string, Watched>();

  function box(one: Watched, limit: number | null, oomKills: number | null): void {
    const { resident, owner } = one;
    if (performance.now() - one.boxedAt < boxEveryMs) return;
    one.boxedAt = performance.now();
    // one that ended by itself has removed its box; it must not come back
    const first = one.boxes++ === 0;
    const may = () => isRunning(owner) === true && (first || hasBox(kept, owner));
    const history = historyOf(one, limit);
    const summary = 'the process ended without a chance to say why, while its agent slept';
    writeBox(kept, crashRecord(resident.info, 'killed', summary, { history }), oomKills, may);
    // one that was ending by itself in the moment of its first box had none to remove
    if (first) setTimeout(() => isRunning(owner) || dropBox(kept, owner), endingMs).unref();
  }

  return {
    second(limit, oomKills) {
      let gone = false;
      const here = residents().filter(({ asleep }) => asleep && !asleep.open);
      for (const resident of here.slice(0, watched)) {
        const owner = prefixOf(resident.info.pid);
        // what an introduction says of its process counts when the kernel shows the same
        const one = all.get(owner) ?? (resident.asleep?.isItself() ? begin(resident, owner) : undefined);
        if (!one) continue;
        const rss = residentBytes(resident.info.pid);
        if (rss === undefined) continue;
        all.set(owner, one);
        one.times.push(Date.now());
        one.rss.push(rss);
        if (one.times.length > samplesKept) [one.times, one.rss].forEach((values) => void values.shift());
        box(one, limit, oomKills);
        wake(one, rss);
      }
      for (const [owner, one] of all) {
        if (isRunning(owner)) continue;
        all.delete(owner);
        complete(kept, one);
        gone = true;
      }
      return gone;
    },
    find(pid) {
      const one = [...all.values()].find(({ resident }) => resident.info.pid === pid);
      return one && { info: one.resident.info, resident: one.resident, history: historyOf(one, null) };
    },
  };
}

function begin(resident: Resident, owner: string): Watched {
  const never = Number.NEGATIVE_INFINITY;
  return {
    resident,
    owner,
    since: Date.now(),
    times: [],
    rss: [],
    boxedAt: never,
    boxes: 0,
    wokenAt: never,
  };
}

function wake(one: Watched, rss: number): void {
  const { asleep } = one.resident;
  const limit = asleep?.heapLimitBytes;
  if (!asleep || !limit || rss < limit * wakeAt) return;
  const now = performance.now();
  if (now - one.wokenAt < wakeAgainMs) return;
  one.wokenAt = now;
  void asleep.wake().catch(() => {});
}

/** What a process on standby wrote of its own end has no history: nobody was awake in it. */
function complete(kept: Kept, one: Watched): void {
  const own = new RegExp(`-${one.resident.info.pid}\\.json$`);
  for (const { name, at } of kept.list()) {
    if (!own.test(name) || Date.parse(at) < one.since) continue;
    try {
      const record: unknown = JSON.parse(readFileSync(join(kept.directory, name), 'utf8'));
      if (!isCrashRecord(record) || (record.history && record.history.times.length > 0)) continue;
      const history = historyOf(one, record.history?.memoryLimitBytes ?? null);
      kept.write(name, JSON.stringify({ ...record, history }));
    } catch {
      // the store is full, or another agent has removed it: the record stays as it is
    }
  }
}

function historyOf({ since, times, rss }: Watched, memoryLimitBytes: number | null): HistoryReply {
  const unknown = times.map(() => null);
  const series = seriesNames.map((figure) => [
    figure,
    figure === 'rssBytes' ? { mean: [...rss], max: [...rss] } : { mean: unknown, max: unknown },
  ]);
  return {
    since: new Date(since).toISOString(),
    times: [...times],
    series: Object.fromEntries(series) as HistoryReply['series'],
    memoryLimitBytes,
    heapLimitBytes: null,
    gc: null,
    loopDelay: { p50Ms: null, p99Ms: null },
    stallMs: 0,
    stallCount: 0,
    stalls: [],
  };
}
