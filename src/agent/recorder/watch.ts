/**
 * The recorder, in the watcher's thread: looks at the main thread from outside, and asks it for its figures only where it has done something since.
 * While nothing happens it looks twice a second.
 */
import type { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Pulse, timerMs } from '../../inspect/counters.ts';
import type { MemoryLimit } from '../../proc/cgroup.ts';
import type { RecorderSettings } from '../settings/recorder-settings.ts';
import { askPulse } from './ask.ts';
import { containerFigures } from './container.ts';
import { Delays, turnsOf } from './delays.ts';
import { mainThread } from './main-thread.ts';
import { Recording } from './recording.ts';
import { fineMs } from './samples.ts';
import type { StallStack } from './stacks.ts';

/** What the main thread gives its worker of the recorder. */
export interface Recorded {
  readonly buffer: SharedArrayBuffer;
  readonly settings: RecorderSettings;
  /** See Counters. */
  readonly turns: ReturnType<typeof monitorEventLoopDelay>;
  readonly perTurn: boolean;
}

export interface Watch {
  readonly recording: Recording;
  readonly settings: RecorderSettings;
  readonly delays: Delays;
  /** By the turn that took long. */
  readonly stacks: ReadonlyMap<number, StallStack>;
  /** The stall under way, and the CPU of the process since it began: 100 is one core. */
  current(): { beat: number; at: number; durationMs: number; cpuPercent: number } | undefined;
  /** Of the container, as it was read last. */
  memoryLimit(): MemoryLimit | null;
}

/** What is called while it is watched. */
export interface Watching {
  /** With each look at the main thread: ten times a second while it works. */
  look(watch: Watch): void;
  /** With each second. */
  second(watch: Watch): void;
}

/** Stacks in a row, and the time after which there may be one more: each interrupts the app for some milliseconds. */
const stacksAtOnce = 6;
const stackEveryMs = 10_000;
const stacksKept = 64;
/** The longest time between two looks. */
const idleLookMs = 500;
/** Of a core: a main thread that works less is only asked from time to time, and looked at less often. */
const idleShare = 0.005;
const timedShare = 0.02;
const seldomMs = 10_000;
/** How often the container is looked at while the main thread does nothing. */
const idleContainerMs = 4_000;
/** CPU that it takes from its answer to its loop: less than it takes to start a child process. */
const restOfAnswerMs = 1;
/** For so long after it last worked a timer measures turns, where Node cannot do without. */
const timedMs = 2_000;

/** Starts watching; goes on as long as the thread lives. What `watching` throws is not heard of. */
export function startWatch({ buffer, settings, turns, perTurn }: Recorded, watching: Watching): Watch {
  const recording = new Recording(buffer);
  const stacks = new Map<number, StallStack>();
  const delays = new Delays();
  const main = mainThread();
  const container = containerFigures(recording);
  const clock = () => performance.now();
  /** Sets that the main thread was seen to wait in, and answered: those of its event loop, and not of a synchronous child process. */
  const loops = new Set<string>();
  /** One that it waited in before it answered, and its CPU when it had: it is one of those if it waits there again and did nothing between. */
  let candidate: { readonly polls: string; readonly mainMs: number } | undefined;
  let beat = 0;
  let beatAt = clock();
  /** The same, without what this thread stood still. */
  let turnedAt = beatAt;
  let beatCpuMs = processCpuMs();
  let started = false;
  /** Whether it was made sure that the turn under way is one. */
  let confirmed = perTurn;
  let counted = 0;
  let lookedAt = beatAt;
  let lookMs = settings.beatMs;
  let left = stacksAtOnce;
  let refilledAt = beatAt;
  let taken = -1;
  let stalled = false;
  /** A stall that is over, until what was counted of it is read. */
  let ended: { beat: number; at: number; seenMs: number; waited: boolean } | undefined;
  let turnsThen: number | undefined;
  let asking: Promise<Pulse | undefined> | undefined;
  let timed = false;
  let askedAt = Number.NEGATIVE_INFINITY;
  let askedMainMs = 0;
  let workedAt = beatAt;
  let containerAt = beatAt;
  let pulse: (Pulse & { readonly at: number }) | undefined;
  let second = { at: beatAt, cpuMs: beatCpuMs, mainMs: main.cpuMs() };
  let lookMainMs = second.mainMs;

  const silentMs = () => clock() - beatAt;
  // before the first turn the app is loading
  const stalls = () => started && confirmed && silentMs() >= settings.stallMs;
  const watch: Watch = {
    recording,
    settings,
    delays,
    stacks,
    memoryLimit: () => container.limit(),
    current() {
      if (!stalls()) return undefined;
      const durationMs = silentMs();
      const cpuPercent = ((processCpuMs() - beatCpuMs) / durationMs) * 100;
      return { beat, at: Date.now() - durationMs, durationMs, cpuPercent };
    },
  };

  /** The loop has turned. */
  function turned(now: number): void {
    if (stalled) {
      stalled = false;
      // that it was one turn was made sure of, however late this thread was
      ended = { beat, at: now, seenMs: now - turnedAt, waited: false };
    }
    turnsThen = undefined;
    beat++;
    beatAt = now;
    turnedAt = now;
    beatCpuMs = processCpuMs();
    confirmed = perTurn;
  }

  /** `polls`: what it waits in now. On a busy machine it comes back to its loop long after its answer. */
  function knowLoop(polls = main.whereabouts().polls): void {
    if (!candidate || polls === undefined) return;
    if (polls === candidate.polls && !(main.cpuMs() - candidate.mainMs > restOfAnswerMs)) loops.add(polls);
    candidate = undefined;
  }

  function ask(): Promise<Pulse | undefined> {
    asking ??= askNow().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  async function askNow(): Promise<Pulse | undefined> {
    askedAt = clock();
    const { polls } = main.whereabouts();
    const [before, starvedMs] = [main.cpuMs(), main.starvedMs()];
    try {
      timed = !perTurn && askedAt - workedAt < timedMs;
      const answer = await askPulse(timed);
      if (!answer) {
        // who has no CPU cannot answer
        if (!(main.starvedMs() - starvedMs > (clock() - askedAt) / 2)) confirmed = true;
        return undefined;
      }
      if (polls !== undefined) {
        candidate = { polls, mainMs: main.cpuMs() };
        knowLoop();
      }
      // where turns are not counted, two answers tell whether there was one between them
      if (!perTurn && answer.turns !== null) {
        if (turnsThen === undefined) turnsThen = answer.turns;
        else if (turnsThen === answer.turns) confirmed = true;
        else turned(clock());
      }
      started ||= (answer.turns ?? 0) > 0;
      pulse = { ...answer, at: clock() };
      return answer;
    } finally {
      // what the answer took is not the app's work
      const ownMs = main.cpuMs() - before;
      second.mainMs += ownMs;
      askedMainMs = before + ownMs;
      lookMainMs += ownMs;
    }
  }

  function look(): void {
    const now = clock();
    const lateMs = now - lookedAt - lookMs;
    lookedAt = now;
    const { polls } = main.whereabouts();
    knowLoop(polls);
    const waits = polls !== undefined && loops.has(polls);
    const mainMs = main.cpuMs();
    // the timer works, too
    const works = !(mainMs - lookMainMs < lookMs * (timed ? timedShare : idleShare));
    lookMainMs = mainMs;
    if (works) workedAt = now;
    // this thread has stood still, too: the machine is busy, or was suspended
    if (lateMs > settings.beatMs) beatAt += lateMs;
    const count = perTurn ? turns.count : 0;
    if (waits || count !== counted) {
      started ||= waits || count > 0;
      turned(now);
    }
    counted = count;
    if (polls !== undefined && !waits && now - askedAt > settings.stallMs) void ask();
    else if (!confirmed && silentMs() >= settings.stallMs / 2) void ask();
    if (now - refilledAt >= stackEveryMs) {
      refilledAt = now;
      left = Math.min(stacksAtOnce, left + 1);
    }
    if (stalls()) {
      stalled = true;
      if (taken !== beat && left > 0) void take(beat);
    }
    if (now - second.at >= fineMs) void passSecond(now);
    attempt(() => watching.look(watch));
    lookMs = waits && !works ? Math.min(idleLookMs, lookMs * 2) : settings.beatMs;
  }

  async function take(of: number): Promise<void> {
    taken = of;
    left--;
    const since = Date.now() - silentMs();
    const { readStallStack } = await import('./stacks.ts');
    const stack = await readStallStack(since);
    stacks.set(of, stack);
    for (const oldest of stacks.keys()) if (stacks.size > stacksKept) stacks.delete(oldest);
  }

  async function passSecond(now: number): Promise<void> {
    const elapsedMs = now - second.at;
    const before = second;
    second = { at: now, cpuMs: processCpuMs(), mainMs: main.cpuMs() };
    const share = (second.mainMs - before.mainMs) / elapsedMs;
    if (!(share < idleShare) || now - containerAt >= idleContainerMs) {
      containerAt = now;
      container.read(now);
    }
    const due =
      !pulse ||
      (timed && now - workedAt >= timedMs) ||
      !(share < idleShare) ||
      stalls() ||
      (second.mainMs - askedMainMs > 1 && now - askedAt > seldomMs);
    const earlier = pulse;
    const answer = due ? await ask() : undefined;
    const longestMs = readTurns(elapsedMs);
    const stall = watch.current();
    const known = due ? answer : pulse;
    const sinceMs = earlier ? clock() - earlier.at : Number.NaN;
    const ofTime = (ms: number) => Math.min(1, Math.max(0, ms / sinceMs));
    recording.append(Date.now(), {
      cpuPercent: ((second.cpuMs - before.cpuMs) / elapsedMs) * 100,
      rssBytes: process.memoryUsage.rss(),
      heapUsedBytes: known?.heapUsedBytes ?? Number.NaN,
      heapTotalBytes: known?.heapTotalBytes ?? Number.NaN,
      externalBytes: known?.externalBytes ?? Number.NaN,
      utilization: stall ? 1 : answer && earlier ? ofTime(answer.activeMs - earlier.activeMs) : Math.min(1, share),
      delayMaxMs: Math.max(longestMs, stall?.durationMs ?? 0),
      gcShare: answer && earlier ? ofTime(answer.gcPauseMs - earlier.gcPauseMs) : known ? 0 : Number.NaN,
      threads: recording.get('threads'),
      cgroupUsedBytes: recording.get('cgroupUsedBytes'),
      throttled: recording.get('throttled'),
    });
    if (answer)
      for (const cell of ['heapLimitBytes', 'minorGcs', 'majorGcs', 'gcPauseMs', 'gcMaxPauseMs'] as const)
        recording.set(cell, answer[cell]);
    attempt(() => watching.second(watch));
  }

  /** Takes in the turns of the last second; the longest of them. */
  function readTurns(elapsedMs: number): number {
    const { count } = turns;
    const max = count === 0 ? 0 : Math.max(0, turns.max / 1e6 - (perTurn ? 0 : timerMs));
    // the first turn is the app's loading
    const loading = !started || beat === 0;
    if (!loading) delays.add(count === 0 ? [] : turnsOf(turns.percentiles, count, perTurn), elapsedMs);
    turns.reset();
    counted = 0;
    recording.set('delayP50Ms', delays.quantile(0.5) ?? Number.NaN);
    recording.set('delayP99Ms', delays.quantile(0.99) ?? Number.NaN);
    if (loading) return 0;
    const over = ended;
    ended = undefined;
    if (over) {
      // what is counted is exact, and comes when the next turn begins; what was seen is as exact as the looks
      const isCounted = perTurn && max >= settings.stallMs;
      if (perTurn && !isCounted && !over.waited) {
        ended = { ...over, waited: true };
        return max;
      }
      const durationMs = isCounted ? max : over.seenMs;
      recording.stalled({ beat: over.beat, at: Date.now() - (clock() - over.at) - durationMs, durationMs });
      return Math.max(max, durationMs);
    }
    // one that came and went between two looks
    if (max >= settings.stallMs && !stalled) recording.stalled({ beat: ++beat, at: Date.now() - max, durationMs: max });
    return max;
  }

  const next = (): void => {
    attempt(look);
    setTimeout(next, lookMs).unref();
  };
  container.read(beatAt);
  setTimeout(next, lookMs).unref();
  return watch;
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // what is not recorded is not worth ending the agent for
  }
}

function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
