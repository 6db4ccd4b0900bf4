import type { performance } from 'node:perf_hooks';
import type timers from 'node:timers';
import type { ErrorCounts } from '../../protocol/replies.ts';
import type { ErrorCounter } from '../error-counter.ts';
import type { LoadModule } from '../evaluate.ts';

export interface LoopFigures {
  /** Milliseconds since the loop started, as performance.eventLoopUtilization counts them. */
  idleMs: number | null;
  activeMs: number | null;
  resources: string[] | null;
  /** UV_THREADPOOL_SIZE as the app has it */
  uvPool: string | null;
  uptimeSeconds: number | null;
  /** After what time a timer was due and how late it came, each time; the last entry is how late it is by now. Null without a watch. */
  late: [periodMs: number, lateMs: number][] | null;
  /** Null where nobody counts them. */
  errors: ErrorCounts | null;
}

export interface LoopQuestion {
  /** Which watch to start or to read; several may ask at the same time. */
  watch: string | null;
  /** `start` watches for at most `windowMs` and a second, whatever becomes of who asked. */
  act: 'start' | 'read';
  windowMs: number;
}

interface Watch {
  lastAt: number;
  periodMs: number;
  late: [number, number][];
}

/**
 * Runs in the target: the event loop's figures. The delay of the loop is measured by a timer only while somebody watches.
 * It is an ordinary timer and not perf_hooks.monitorEventLoopDelay, which does not count a delay it begins in.
 *
 * A probe interrupts whatever runs, Node's own timers between two of its steps included, and they are not made for that: a
 * timer cleared there just before it was called ended the app (`timer._onTimeout is not a function`, once in some hundred askings).
 * So timers are made only where the loop calls us, and none is cleared.
 */
export function loopProbe(question: LoopQuestion, load: LoadModule): LoopFigures {
  // never in step with timers of the app's, which would always come just before or just after
  const periodsMs = [7, 11, 9, 13, 10];
  const key = Symbol.for('nodeops.watches');
  /** Immediates of ours that wait for the loop's next turn. */
  const ownKey = Symbol.for('nodeops.immediates');
  const proc = load('process') as NodeJS.Process;
  // not globalThis, which some apps freeze
  const holder = proc as unknown as Record<symbol, Map<string, Watch> | undefined>;
  const clock = (load('perf_hooks') as { performance: typeof performance }).performance;
  const { setImmediate, setTimeout } = load('timers') as typeof timers;
  const it = {
    try<T>(read: () => T): T | null {
      try {
        return read();
      } catch {
        return null;
      }
    },
    start(name: string): null {
      // held by --inspect-brk: a setImmediate there is a segmentation fault, and there is no loop yet to watch
      if (clock.nodeTiming.bootstrapComplete < 0) return null;
      if (!holder[key]) Object.defineProperty(proc, key, { value: new Map(), configurable: true, enumerable: false });
      const watches = holder[key];
      if (!watches || watches.size >= 16) return null;
      const endAt = clock.now() + question.windowMs + 1_000;
      const watch: Watch = { lastAt: clock.now(), periodMs: 0, late: [] };
      // what one of ours throws would be the app's uncaught exception
      setImmediate(() =>
        it.try(() => {
          it.own(-1);
          it.begin(name, watch, endAt);
        }),
      );
      it.own(1);
      watches.set(name, watch);
      return null;
    },
    /** How many of ours wait, after `more` of them. */
    own(more: number): number {
      const counts = proc as unknown as Record<symbol, number | undefined>;
      const count = (counts[ownKey] ?? 0) + more;
      if (more !== 0) Object.defineProperty(proc, ownKey, { value: count, configurable: true, enumerable: false });
      return count;
    },
    /** Without ours: an immediate waits for as long as the app blocks the loop. */
    resources(): string[] {
      let own = it.own(0);
      // a histogram of delays, the app's or ours, keeps nothing alive
      return proc
        .getActiveResourcesInfo()
        .filter((type) => type !== 'IntervalHistogram' && !(type === 'Immediate' && own-- > 0));
    },
    begin(name: string, watch: Watch, endAt: number): void {
      watch.periodMs = periodsMs[watch.late.length % periodsMs.length]!;
      setTimeout(
        () =>
          it.try(() => {
            if (it.tick(name, watch, endAt)) it.begin(name, watch, endAt);
            else it.forget(name, watch);
          }),
        watch.periodMs,
      ).unref();
    },
    /** False when it has been read, or was watched for long enough. */
    tick(name: string, watch: Watch, endAt: number): boolean {
      if (holder[key]?.get(name) !== watch) return false;
      const now = clock.now();
      watch.late.push([watch.periodMs, now - watch.lastAt - watch.periodMs]);
      watch.lastAt = now;
      return now <= endAt;
    },
    read(name: string): [number, number][] | null {
      const watch = holder[key]?.get(name);
      if (!watch) return null;
      it.forget(name, watch);
      return [...watch.late, [watch.periodMs, clock.now() - watch.lastAt - watch.periodMs]];
    },
    /** Its timer sees that, and makes no further one. */
    forget(name: string, watch: Watch): void {
      const watches = holder[key];
      if (watches?.get(name) === watch) watches.delete(name);
      if (watches?.size === 0) delete holder[key];
    },
  };
  const used = it.try(() => clock.eventLoopUtilization());
  // before our own timer is there
  const resources = it.try(() => it.resources());
  const counters = proc as unknown as Record<symbol, ErrorCounter | undefined>;
  const { watch } = question;
  return {
    idleMs: used ? used.idle : null,
    activeMs: used ? used.active : null,
    resources,
    uvPool: it.try(() => proc.env.UV_THREADPOOL_SIZE ?? null),
    uptimeSeconds: it.try(() => proc.uptime()),
    late: watch === null ? null : it.try(() => (question.act === 'start' ? it.start(watch) : it.read(watch))),
    errors: it.try(() => counters[Symbol.for('nodeops.errors')]?.read() ?? null),
  };
}
