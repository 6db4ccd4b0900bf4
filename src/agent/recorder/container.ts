/** What the container's own files say: limits, use, throttling. Read seldom, more often near the limit. */
import { readFileSync } from 'node:fs';
import { findMemoryLimit, type MemoryLimit, readCpuCgroup, readMemoryCgroup } from '../../proc/cgroup.ts';
import type { Recording } from './recording.ts';

const cgroupMs = 5_000;
const cgroupNearMs = 1_000;

/** Keeps the container's figures in the recording. */
export function containerFigures(recording: Recording): { read(now: number): void; limit(): MemoryLimit | null } {
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
  return {
    read(now) {
      try {
        read(now);
      } catch {
        // another system
      }
    },
    limit: () => limit,
  };
}
