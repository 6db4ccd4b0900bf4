/**
 * The recorder's part on the main thread: an unreferenced timer that beats ten times a second (a few microseconds), and takes
 * a sample with each second's (about 25 µs). It sends nothing and waits for nothing.
 */
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { getHeapStatistics } from 'node:v8';
import type { GcCounts } from '../../inspect/counters.ts';
import { oldSpaceLimit } from '../../inspect/heap-limit.ts';
import { aheadSeconds, recordAt, sampleAt } from '../crash/shares.ts';
import { Recording } from './recording.ts';
import { fineMs } from './samples.ts';
import type { RecorderSettings } from './settings.ts';

export interface Pulse {
  readonly recording: Recording;
  stop(): void;
}

/** Shares of the heap's limit; below the last one heap is not short any more. */
const shortAt = [sampleAt, recordAt[0]!];
const overAt = 0.5;
/** Beats in vain for the lock before it counts as left behind. */
const lockBeats = 5;

/** `heapShort`: called when the heap passes one of these shares of its limit, and again when it did so anew. */
export function startPulse(
  { beatMs, stallMs }: RecorderSettings,
  gc: () => GcCounts,
  heapShort: (() => void) | undefined,
): Pulse {
  const recording = new Recording();
  // an app may replace these, or count their calls
  const { memoryUsage, cpuUsage } = process;
  const clock = () => performance.now();
  const utilization = () => performance.eventLoopUtilization();
  let beatAt = clock();
  let activeMs = 0;
  let lateMaxMs = 0;
  let locked = 0;
  let shortLevel = 0;
  let heapBytes = Number.POSITIVE_INFINITY;
  let sample = { at: beatAt, activeMs: 0, cpuMs: cpuMs(cpuUsage.call(process)), gcMs: 0 };

  function beat(): void {
    const now = clock();
    const elapsedMs = now - beatAt;
    const { active } = utilization();
    const busyMs = Math.min(elapsedMs, active - activeMs);
    const latenessMs = Math.max(0, elapsedMs - beatMs);
    // the first beat comes when the app has loaded, which is no stall of its loop
    const stalled = activeMs > 0 && busyMs >= stallMs;
    recording.beat(activeMs > 0 ? latenessMs : 0, beatMs, stalled ? busyMs : undefined);
    if (activeMs > 0) lateMaxMs = Math.max(lateMaxMs, latenessMs);
    beatAt = now;
    activeMs = active;
    if (now - sample.at >= fineMs - beatMs / 2 && !isFresh()) take(now);
  }

  /** Whether the worker has just taken the sample that this thread was late for. */
  function isFresh(): boolean {
    const age = Date.now() - (recording.latest()?.at ?? 0);
    return age >= 0 && age < fineMs / 2 + beatMs / 2;
  }

  function take(now: number): void {
    const elapsedMs = now - sample.at;
    const memory = memoryUsage.call(process);
    const cpu = cpuMs(cpuUsage.call(process));
    const { minor, major, pauseMs, maxPauseMs } = countGc(gc());
    recording.set('minorGcs', minor);
    recording.set('majorGcs', major);
    recording.set('gcPauseMs', pauseMs);
    recording.set('gcMaxPauseMs', maxPauseMs);
    if (Number.isNaN(recording.get('heapLimitBytes'))) recording.set('heapLimitBytes', heapLimit());
    lookAtHeap(memory.heapUsed);
    const share = (part: number) => Math.min(1, Math.max(0, part / elapsedMs));
    const done = recording.append(Date.now(), {
      cpuPercent: ((cpu - sample.cpuMs) / elapsedMs) * 100,
      rssBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
      heapTotalBytes: memory.heapTotal,
      externalBytes: memory.external,
      utilization: share(activeMs - sample.activeMs),
      delayMaxMs: lateMaxMs,
      gcShare: share(pauseMs - sample.gcMs),
      threads: recording.get('threads'),
      cgroupUsedBytes: recording.get('cgroupUsedBytes'),
      throttled: recording.get('throttled'),
    });
    if (!done) {
      if (++locked >= lockBeats) recording.breakLock();
      return;
    }
    locked = 0;
    lateMaxMs = 0;
    sample = { at: now, activeMs, cpuMs: cpu, gcMs: pauseMs };
  }

  function lookAtHeap(used: number): void {
    const soon = (used + aheadSeconds * Math.max(0, used - heapBytes)) / recording.get('heapLimitBytes');
    heapBytes = used;
    if (soon < overAt) shortLevel = 0;
    const level = shortAt.filter((at) => soon >= at).length;
    if (level <= shortLevel) return;
    shortLevel = level;
    heapShort?.();
  }

  const timer = setInterval(() => {
    try {
      beat();
    } catch {
      // a guest: what an app has put in the place of a function of Node's is no reason to disturb it every second
      clearInterval(timer);
    }
  }, beatMs);
  timer.unref();
  return { recording, stop: () => clearInterval(timer) };
}

function heapLimit(): number {
  const options = `${process.env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`;
  return oldSpaceLimit({ reservedBytes: getHeapStatistics().heap_size_limit, options, v8: process.versions.v8 });
}

function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000;
}

function countGc({ kinds }: GcCounts): { minor: number; major: number; pauseMs: number; maxPauseMs: number } {
  const all = Object.entries(kinds);
  const count = (...wanted: string[]) =>
    all.filter(([kind]) => wanted.includes(kind)).reduce((sum, [, counted]) => sum + counted.count, 0);
  return {
    // V8's numbers: 1 scavenge, 2 minor mark-sweep, 4 mark-sweep-compact
    minor: count('1', '2'),
    major: count('4'),
    pauseMs: all.reduce((sum, [, counted]) => sum + counted.totalPauseMs, 0),
    maxPauseMs: all.reduce((max, [, counted]) => Math.max(max, counted.maxPauseMs), 0),
  };
}
