/** What the kernel said of a thread beside its CPU profile: how much of each sample's time it was on a CPU, and where it waited. */

export interface ThreadClock {
  /** Microseconds of the profile's clock, ascending. */
  readonly micros: readonly number[];
  /** CPU the thread has had so far. */
  readonly cpuMicros: readonly number[];
  /** Time it has waited for a CPU so far. */
  readonly queuedMicros: readonly number[];
  /** What it did at each reading: an index into `names`. */
  readonly doing?: readonly number[];
  /** `running`, or the system call it waited in. */
  readonly names?: readonly string[];
}

/** A stretch of the profile's clock, in microseconds. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** The event loop waits: what CPU there is in it is not its. */
  readonly idle: boolean;
}

export interface StretchTime {
  readonly cpuMicros: number;
  /** Waiting for a CPU: others had it, or a quota was used up. */
  readonly queuedMicros: number;
  /** The system call it was asleep in all the while; undefined where it was not. */
  readonly asleepIn: string | undefined;
}

/** A window in which the thread had less CPU than this share, and waited in one call at both ends, was a wait. */
const asleepShare = 0.1;
const limitReadings = 1_000_000;

/** The clock that an agent put into a CPU profile; undefined where there is none, or none that makes sense. */
export function clockOf(profile: Readonly<Record<string, unknown>>): ThreadClock | undefined {
  const clock = (profile.nodeops as { clock?: unknown } | null | undefined)?.clock;
  if (typeof clock !== 'object' || clock === null) return undefined;
  const { micros, cpuMicros, queuedMicros, doing, names } = clock as Record<string, unknown>;
  const columns = [numbers(micros), numbers(cpuMicros), numbers(queuedMicros)] as const;
  const [times, cpu, queued] = columns;
  if (times.length < 2 || cpu.length !== times.length || queued.length !== times.length) return undefined;
  if (columns.some((column) => column.some((value, i) => i > 0 && value < column[i - 1]!))) return undefined;
  const base = { micros: times, cpuMicros: cpu, queuedMicros: queued };
  if (!Array.isArray(names) || !Array.isArray(doing) || doing.length !== times.length) return base;
  if (names.some((name) => typeof name !== 'string' || name.length > 64)) return base;
  if (doing.some((index) => typeof names[index as number] !== 'string')) return base;
  return { ...base, doing: doing as number[], names: names as string[] };
}

/** Empty for anything else. */
function numbers(value: unknown): number[] {
  const all = Array.isArray(value) && value.length <= limitReadings && value.every(Number.isFinite);
  return all ? (value as number[]) : [];
}

/**
 * Shares the CPU of each window between two readings out over the stretches in it in which the loop did not wait, by their length. What
 * is before the first reading and after the last is taken for as busy as the window beside it. `stretches` are in order.
 */
export function shareOut(clock: ThreadClock, stretches: readonly Stretch[]): StretchTime[] {
  const { micros, cpuMicros, queuedMicros } = clock;
  const last = micros.length - 2;
  const busy = new Array<number>(last + 1).fill(0);
  eachOverlap(micros, stretches, (window, overlap) => {
    busy[window]! += overlap;
  });
  const share = (column: readonly number[], window: number) =>
    busy[window]! > 0 ? Math.min(1, (column[window + 1]! - column[window]!) / busy[window]!) : 0;
  const result = stretches.map(() => ({ cpuMicros: 0, queuedMicros: 0, asleepIn: undefined as string | undefined }));
  const asleep = asleepWindows(clock);
  const runnable = runnableWindows(clock);
  eachOverlap(micros, stretches, (window, overlap, index) => {
    const of = result[index]!;
    const cpu = overlap * share(cpuMicros, window);
    of.cpuMicros += cpu;
    of.queuedMicros += runnable[window]
      ? overlap - cpu
      : Math.min(overlap - cpu, overlap * share(queuedMicros, window));
    of.asleepIn = asleep[window];
  });
  return result;
}

/** For every window the call the thread was asleep in from end to end. */
function asleepWindows({ micros, cpuMicros, doing, names }: ThreadClock): (string | undefined)[] {
  return micros.slice(0, -1).map((from, i) => {
    if (!doing || !names || doing[i] !== doing[i + 1]) return undefined;
    const name = names[doing[i]!]!;
    const had = cpuMicros[i + 1]! - cpuMicros[i]!;
    return name !== 'running' && had < (micros[i + 1]! - from) * asleepShare ? name : undefined;
  });
}

/** The windows with a thread that could run at both ends; the kernel counts a wait for a CPU only when it is over. */
function runnableWindows({ micros, doing, names }: ThreadClock): boolean[] {
  const at = (i: number) => doing !== undefined && names?.[doing[i]!] === 'running';
  return micros.slice(0, -1).map((_, i) => at(i) && at(i + 1));
}

/** Calls back for every window that a stretch which is not idle overlaps; the outer windows reach without end. */
function eachOverlap(
  micros: readonly number[],
  stretches: readonly Stretch[],
  use: (window: number, overlapMicros: number, stretch: number) => void,
): void {
  const last = micros.length - 2;
  let first = 0;
  for (const [index, { from, to, idle }] of stretches.entries()) {
    while (first < last && micros[first + 1]! <= from) first++;
    if (idle) continue;
    for (let window = first; ; window++) {
      const begin = window === 0 ? from : Math.max(from, micros[window]!);
      const end = window === last ? to : Math.min(to, micros[window + 1]!);
      if (end > begin || from === to) use(window, Math.max(0, end - begin), index);
      if (window === last || micros[window + 1]! >= to) break;
    }
  }
}
