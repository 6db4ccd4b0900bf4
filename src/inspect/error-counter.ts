/** Counts of what went wrong on a main thread, for `stats`; nothing runs and nothing is kept between errors. */
import type { ErrorCounts, Occurrences } from '../protocol/replies.ts';
import type { LoadModule } from './evaluate.ts';

/** What was thrown at one place, uncaught or as a rejection. */
export interface ThrownKind {
  origin: 'uncaught' | 'rejection';
  name: string;
  /** Of the last one. */
  message: string;
  stack: string;
  count: number;
  /** ISO 8601 */
  firstAt: string;
  lastAt: string;
}

/** Where it is found from the inspector: `process[Symbol.for('nodeops.errors')]`, not enumerable. */
export interface ErrorCounter {
  /** Null once the app has removed our listener, for what happened since is not known. */
  read(): ErrorCounts | null;
  /** Called with each exception after it was counted; what they throw is dropped. */
  readonly hearers: Set<(error: unknown, origin: string) => void>;
  /** The last 50 kinds; absent from a counter of an agent older than it. */
  kinds?(): ThrownKind[];
  readonly holders: Set<string>;
  /** Whether the inspector was opened for one of its holders: the last of them closes it. */
  opened: boolean;
  /** Ends it, and leaves nothing behind, when nobody else holds it. */
  release(holder: string): void;
}

/**
 * Runs in the target, or in the agent's own main thread: starts counting, or joins who counts already. It only watches:
 * `uncaughtExceptionMonitor` and `warning` change neither output nor exit code, where a listener of `unhandledRejection`
 * would. Rejections are counted as far as Node makes exceptions or warnings of them: not with an `unhandledRejection`
 * listener of the app's own, and not with `--unhandled-rejections=none`. See evaluate.ts for its limits.
 */
export function holdErrorCounter(holder: string, load: LoadModule): boolean {
  const key = Symbol.for('nodeops.errors');
  const app = load('process') as NodeJS.Process;
  const place = app as unknown as Record<symbol, ErrorCounter | undefined>;
  if (place[key]) {
    place[key].holders.add(holder);
    return false;
  }
  const since = new Date().toISOString();
  const counts = {
    uncaughtExceptions: { count: 0, lastAt: null } as Occurrences,
    unhandledRejections: { count: 0, lastAt: null } as Occurrences,
    warnings: { count: 0, lastAt: null } as Occurrences,
  };
  const kindsLimit = 50;
  const kinds = new Map<string, ThrownKind>();
  // `--unhandled-rejections=strict` makes an exception of a rejection, and then a warning too
  let announced = 0;
  const it = {
    count(kind: keyof typeof counts): void {
      counts[kind].count++;
      counts[kind].lastAt = new Date().toISOString();
    },
    thrown(error: unknown, origin: string): void {
      // what is thrown here would end the app
      try {
        if (origin === 'unhandledRejection') announced++;
        it.count(origin === 'unhandledRejection' ? 'unhandledRejections' : 'uncaughtExceptions');
        it.keep(error, origin === 'unhandledRejection' ? 'rejection' : 'uncaught');
        for (const hear of counter.hearers) hear(error, origin);
      } catch {
        // it is counted, or the app has put something else in the place of Date
      }
    },
    /** By its frames: texts may differ each time. */
    keep(error: unknown, origin: ThrownKind['origin']): void {
      const { name, message, stack } = (typeof error === 'object' && error !== null ? error : {}) as Partial<Error>;
      const text = typeof stack === 'string' ? stack.slice(0, 4_000) : '';
      const frames = text.split('\n').filter((line) => /^\s+at /.test(line));
      const what = typeof name === 'string' ? name.slice(0, 100) : typeof error;
      const key = `${origin} ${what} ${frames.slice(0, 10).join()}`;
      const lastAt = new Date().toISOString();
      const kind = kinds.get(key) ?? {
        origin,
        name: what,
        message: '',
        stack: text,
        count: 0,
        firstAt: lastAt,
        lastAt,
      };
      kind.count++;
      kind.lastAt = lastAt;
      kind.message = String(typeof message === 'string' ? message : error).slice(0, 1_000);
      // the last one last
      kinds.delete(key);
      kinds.set(key, kind);
      for (const oldest of kinds.keys()) if (kinds.size > kindsLimit) kinds.delete(oldest);
    },
    warned(warning: Error): void {
      try {
        if (warning.name !== 'UnhandledPromiseRejectionWarning') it.count('warnings');
        // of the two that Node emits for a rejection, the one whose text is always the same
        else if (!warning.message.startsWith('Unhandled promise rejection.')) return;
        else if (announced > 0) announced--;
        else it.count('unhandledRejections');
      } catch {
        // an app may emit anything as a warning
      }
    },
  };
  const counter: ErrorCounter = {
    hearers: new Set(),
    kinds: () => [...kinds.values()],
    holders: new Set([holder]),
    opened: false,
    read() {
      if (!app.listeners('uncaughtExceptionMonitor').includes(it.thrown)) return null;
      const warnings = app.listeners('warning').includes(it.warned) ? { ...counts.warnings } : null;
      const { uncaughtExceptions, unhandledRejections } = counts;
      return {
        since,
        uncaughtExceptions: { ...uncaughtExceptions },
        unhandledRejections: { ...unhandledRejections },
        warnings,
      };
    },
    release(name) {
      counter.holders.delete(name);
      if (counter.holders.size > 0) return;
      app.off('uncaughtExceptionMonitor', it.thrown);
      app.off('warning', it.warned);
      delete place[key];
    },
  };
  Object.defineProperty(app, key, { value: counter, configurable: true, enumerable: false });
  app.on('uncaughtExceptionMonitor', it.thrown);
  app.on('warning', it.warned);
  return true;
}

const agent = 'agent';

/** The counter of this process's main thread, started if need be; undefined where the app lets nothing be added to `process`. */
export function countErrors(): ErrorCounter | undefined {
  try {
    holdErrorCounter(agent, () => process);
    return (process as unknown as Record<symbol, ErrorCounter>)[Symbol.for('nodeops.errors')];
  } catch {
    return undefined;
  }
}

/** The agent ends. */
export function stopCountingErrors(): void {
  (process as unknown as Record<symbol, ErrorCounter | undefined>)[Symbol.for('nodeops.errors')]?.release(agent);
}
