/** The recorder's part in the worker: what the kernel shows of the process, samples while the main thread cannot take them, and stalls. */
import { readFileSync } from 'node:fs';
import { findMemoryLimit, type MemoryLimit, readCpuCgroup, readMemoryCgroup } from '../../proc/cgroup.ts';
import { parseStat } from '../../proc/status.ts';
import { Recording } from './recording.ts';
import { fineMs } from './samples.ts';
import type { RecorderSettings } from './settings.ts';
import type { StallStack } from './stacks.ts';

/** What the main thread gives its worker of the recorder. */
export interface Recorded {
  readonly buffer: SharedArrayBuffer;
  readonly settings: RecorderSettings;
}

export interface Watch {
  readonly recording: Recording;
  readonly settings: RecorderSettings;
  /** By the beat that came late. */
  readonly stacks: ReadonlyMap<number, StallStack>;
  /** The stall under way. */
  current(): { beat: number; at: number; durationMs: number } | undefined;
  /** Of the container, as it was read last. */
  memoryLimit(): MemoryLimit | null;
}

/** What is called while it is watched. */
export interface Watching {
  /** With each look at the main thread: ten times a second. */
  look(watch: Watch): void;
  /** With each second. */
  second(watch: Watch): void;
}

/** Stacks in a row, and the time after which there may be one more: each interrupts the app for some milliseconds. */
const stacksAtOnce = 6;
const stackEveryMs = 10_000;
const stacksKept = 64;
/** The cgroup's files are read this often; more often where the process is near the limit. */
const cgroupMs = 5_000;
const cgroupNearMs = 1_000;

/** Starts watching; goes on as long as the thread lives. What `watching` throws is not heard of. */
export function startWatch({ buffer, settings }: Recorded, watching: Watching): Watch {
  const recording = new Recording(buffer);
  const stacks = new Map<number, StallStack>();
  const clock = () => performance.now();
  let beats = recording.beats;
  let beatAt = clock();
  let lookedAt = beatAt;
  let secondAt = beatAt;
  let left = stacksAtOnce;
  let refilledAt = beatAt;
  let taken = -1;
  let cpu = { at: beatAt, ms: kernelCpuMs() };
  const silentMs = () => clock() - beatAt;
  // before the first beat the app is loading
  const stalls = () => beats > 1 && silentMs() >= settings.stallMs;
  const watch: Watch = {
    recording,
    settings,
    stacks,
    memoryLimit: () => container.limit(),
    current: () => (stalls() ? { beat: beats, at: Date.now() - silentMs(), durationMs: silentMs() } : undefined),
  };
  const container = groups(recording);
  container.read(beatAt);

  function look(): void {
    const now = clock();
    const lateMs = now - lookedAt - settings.beatMs;
    lookedAt = now;
    if (recording.beats !== beats) {
      beats = recording.beats;
      beatAt = now;
    } else if (lateMs > settings.beatMs) {
      // this thread has stood still, too: the machine is busy, or was suspended
      beatAt += lateMs;
    }
    if (now - refilledAt >= stackEveryMs) {
      refilledAt = now;
      left = Math.min(stacksAtOnce, left + 1);
    }
    if (stalls() && taken !== beats && left > 0) void take(beats);
    if (now - secondAt >= fineMs) {
      secondAt = now;
      container.read(now);
      if (silentMs() > fineMs + settings.stallMs) fill(now);
      attempt(() => watching.second(watch));
    }
    attempt(() => watching.look(watch));
  }

  async function take(beat: number): Promise<void> {
    taken = beat;
    left--;
    const since = Date.now() - silentMs();
    const { readStallStack } = await import('./stacks.ts');
    const stack = await readStallStack(recording, since);
    stacks.set(beat, stack);
    for (const oldest of stacks.keys()) if (stacks.size > stacksKept) stacks.delete(oldest);
  }

  /** A sample of what can be seen from here. */
  function fill(now: number): void {
    const ms = kernelCpuMs();
    const cpuPercent = now - cpu.at < 5_000 ? ((ms - cpu.ms) / (now - cpu.at)) * 100 : Number.NaN;
    cpu = { at: now, ms };
    if (beats === 0) return;
    recording.append(Date.now(), {
      cpuPercent,
      rssBytes: process.memoryUsage.rss(),
      utilization: 1,
      delayMaxMs: silentMs(),
      threads: recording.get('threads'),
      cgroupUsedBytes: recording.get('cgroupUsedBytes'),
      throttled: recording.get('throttled'),
    });
  }

  setInterval(() => attempt(look), settings.beatMs).unref();
  return watch;
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // what is not recorded is not worth ending the agent for
  }
}

/** Keeps the container's figures where the main thread takes them from. */
function groups(recording: Recording): { read(now: number): void; limit(): MemoryLimit | null } {
  let readAt = Number.NEGATIVE_INFINITY;
  let throttled: { at: number; seconds: number } | undefined;
  let limit: MemoryLimit | null = null;
  const readAll = async (now: number): Promise<void> => {
    const self = '/proc/self';
    const [found, memory, cpu] = await Promise.all([
      findMemoryLimit(self),
      readMemoryCgroup(self),
      readCpuCgroup(self),
    ]);
    limit = found;
    recording.set('cgroupUsedBytes', memory?.usedBytes ?? Number.NaN);
    recording.set('memoryLimitBytes', memory?.limitBytes ?? Number.NaN);
    const seconds = cpu?.throttledSeconds ?? Number.NaN;
    if (throttled)
      recording.set('throttled', Math.min(1, ((seconds - throttled.seconds) * 1000) / (now - throttled.at)));
    throttled = { at: now, seconds };
  };
  function read(now: number): void {
    const threads = /^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    recording.set('threads', Number(threads ?? Number.NaN));
    const near = recording.get('cgroupUsedBytes') > recording.get('memoryLimitBytes') * 0.6;
    if (now - readAt < (near ? cgroupNearMs : cgroupMs)) return;
    readAt = now;
    readAll(now).catch(() => {});
  }
  return { read: (now) => attempt(() => read(now)), limit: () => limit };
}

function kernelCpuMs(): number {
  try {
    // ticks of a hundredth of a second
    const { utime, stime } = parseStat(readFileSync('/proc/self/stat', 'utf8'));
    return (utime + stime) * 10;
  } catch {
    return Number.NaN;
  }
}
