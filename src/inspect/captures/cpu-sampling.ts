import type { BesideProfile } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { within } from '../ask.ts';
import type { Inspector } from '../inspector.ts';
import type { CaptureControl } from './capture.ts';
import { collectsCoverage } from './coverage.ts';
import { collectMs, patiently, startMs } from './patience.ts';
import { cutStart } from './profile-window.ts';
import { ThreadClock } from './thread-clock.ts';

/** A profile as V8 gave it, with what was seen beside it. */
type RawProfile = Parameters<typeof cutStart>[0] & { nodeops?: BesideProfile };

export interface SamplingOptions {
  readonly intervalMicros: number;
  /** Leaves optimized code as it is: what was inlined before the start is then named after its caller. */
  readonly keepOptimized: boolean;
  /** The kernel's directory of the thread, for its CPU time; null where there is none. */
  readonly task: string | null;
}

/** V8's CPU profiler on one thread, started and stopped by interrupts: it works while JavaScript blocks the loop. */
export class CpuSampling {
  readonly #inspector: Pick<Inspector, 'post'>;
  readonly #options: SamplingOptions;
  readonly #control: CaptureControl;
  #state: 'new' | 'asked' | 'started' | 'over' = 'new';
  #clock: ThreadClock | null = null;
  /** When the profiler was ready, by V8's clock. */
  #readyMicros: number | null = null;

  constructor(inspector: Pick<Inspector, 'post'>, options: SamplingOptions, control: CaptureControl) {
    // a worker's line keeps no deadlines of its own
    this.#inspector = {
      post: (method, params, { timeoutMs = startMs } = {}) =>
        within(timeoutMs, inspector.post(method, params, { timeoutMs })),
    };
    this.#options = options;
    this.#control = control;
  }

  get started(): boolean {
    return this.#state === 'started';
  }

  /**
   * Throws `stuck` when the thread is in native code for longer than `startMs`, `refused` where it collects coverage, which
   * the end of any profile would end.
   */
  async start(): Promise<void> {
    const phase = 'starting the profiler';
    const post = <R>(method: string, params?: object) =>
      patiently<R>(this.#inspector, this.#control, phase, params === undefined ? [method] : [method, params], startMs);
    try {
      const covered = await collectsCoverage({ post }).catch((error) => {
        if (error instanceof NodeopsError && error.code === 'failed') return null;
        throw error;
      });
      if (covered)
        throw new NodeopsError(
          'refused',
          'the process measures its coverage (NODE_V8_COVERAGE, or by a session of its own), and a CPU profile would end that',
          { hint: 'start it without, or use `stack` and `trace`, which do not touch it' },
        );
      this.#state = 'asked';
      // sent together: the thread does all of it in one interrupt
      const sent: Promise<unknown>[] = [
        post('Profiler.enable'),
        post('Profiler.setSamplingInterval', { interval: this.#options.intervalMicros }),
        post('Profiler.start'),
      ];
      if (!this.#options.keepOptimized && covered === false) sent.push(...dropOptimized(post));
      const ready = post<{ result: { value?: string } }>('Runtime.evaluate', {
        expression: 'String(process.hrtime.bigint())',
        returnByValue: true,
        silent: true,
      });
      const [{ result }] = await Promise.all([ready, ...sent]);
      this.#readyMicros = result.value === undefined ? null : Number(result.value) / 1000;
    } catch (error) {
      throw stillNative(error, 'start the profiler');
    }
    this.#clock = ThreadClock.open(this.#options.task);
    this.#state = 'started';
  }

  async stop(): Promise<object> {
    this.#state = 'over';
    try {
      const { profile } = await patiently<{ profile: RawProfile }>(
        this.#inspector,
        this.#control,
        'fetching the profile',
        ['Profiler.stop'],
        collectMs,
      );
      const clock = this.#clock?.close() ?? undefined;
      const pausedMicros = cutStart(profile, this.#readyMicros);
      return { ...profile, nodeops: { pausedMicros, clock } satisfies BesideProfile };
    } catch (error) {
      throw stillNative(error, 'hand out the profile');
    } finally {
      this.#clock?.close();
      this.#post('Profiler.disable');
    }
  }

  /** Stops what was started, without waiting: commands are served in the order they were sent, also much later. */
  discard(): void {
    this.#clock?.close();
    // V8 drops a running profile when the domain is disabled
    if (this.#state === 'asked' || this.#state === 'started') this.#post('Profiler.disable');
    this.#state = 'over';
  }

  #post(method: string, params: object = {}): void {
    this.#inspector.post(method, params, { timeoutMs: collectMs }).catch(() => {});
  }
}

/**
 * V8 does not tell a profiler that starts what was inlined into the code that is optimized already: samples would be named
 * after the caller. Coverage needs that code dropped, so it is begun and ended; what runs is optimized again within moments, and
 * the profiler is told. After the profiler's start, for what is optimized between the two would stay unnamed.
 */
function dropOptimized(post: (method: string, params?: object) => Promise<unknown>): Promise<unknown>[] {
  return [
    post('Profiler.startPreciseCoverage', { callCount: false, detailed: false }),
    post('Profiler.stopPreciseCoverage'),
  ];
}

/** Says what could not be done when native code was in the way. */
export function stillNative(error: unknown, what: string): unknown {
  if (!(error instanceof NodeopsError) || error.code !== 'stuck') return error;
  return new NodeopsError('stuck', `the thread is in native code and did not get to ${what} in time`, {
    cause: error,
    hint: 'try again once it runs JavaScript; `stack` shows what the kernel sees of it',
  });
}
