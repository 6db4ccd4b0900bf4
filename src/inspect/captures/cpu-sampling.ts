import { NodeopsError } from '../../protocol/errors.ts';
import { within } from '../ask.ts';
import type { Inspector } from '../inspector.ts';
import type { CaptureControl } from './capture.ts';
import { collectMs, patiently, startMs } from './patience.ts';

/** How long a thread is watched to see whether its loop turns. */
const watchMs = 200;

/** V8's CPU profiler on one thread, started and stopped by interrupts: it works while JavaScript blocks the loop. */
export class CpuSampling {
  readonly #inspector: Pick<Inspector, 'post'>;
  readonly #intervalMicros: number;
  readonly #control: CaptureControl;
  #state: 'new' | 'asked' | 'started' | 'over' = 'new';

  constructor(inspector: Pick<Inspector, 'post'>, intervalMicros: number, control: CaptureControl) {
    // a worker's line keeps no deadlines of its own
    this.#inspector = {
      post: (method, params, options) => within(options?.timeoutMs ?? startMs, inspector.post(method, params, options)),
    };
    this.#intervalMicros = intervalMicros;
    this.#control = control;
  }

  get started(): boolean {
    return this.#state === 'started';
  }

  /** Throws `stuck` when the thread is in native code for longer than `startMs`. */
  async start(): Promise<void> {
    this.#state = 'asked';
    const phase = 'starting the profiler';
    const post = (command: [string, object?]) => patiently(this.#inspector, this.#control, phase, command, startMs);
    try {
      await post(['Profiler.enable']);
      await post(['Profiler.setSamplingInterval', { interval: this.#intervalMicros }]);
      await post(['Profiler.start']);
    } catch (error) {
      throw stillNative(error, 'start the profiler');
    }
    this.#state = 'started';
    await this.#nameBlockedLoop();
  }

  async stop(): Promise<object> {
    this.#state = 'over';
    try {
      const { profile } = await patiently<{ profile: object }>(
        this.#inspector,
        this.#control,
        'fetching the profile',
        ['Profiler.stop'],
        collectMs,
      );
      return profile;
    } catch (error) {
      throw stillNative(error, 'hand out the profile');
    } finally {
      this.#post('Profiler.disable');
    }
  }

  /** Stops what was started, without waiting: commands are served in the order they were sent, also much later. */
  discard(): void {
    // V8 drops a running profile when the domain is disabled
    if (this.#state === 'asked' || this.#state === 'started') this.#post('Profiler.disable');
    this.#state = 'over';
  }

  /**
   * Code that was optimized while it ran, as the body of an endless loop is, is not among what V8 tells a profiler that
   * starts later: its samples would be named after its caller. Where the loop does not turn, optimized code is dropped once, by
   * way of the coverage that needs it so; what runs is optimized again within milliseconds, and the profiler is told its name.
   */
  async #nameBlockedLoop(): Promise<void> {
    try {
      const before = await this.#idleTime();
      await new Promise((resolve) => setTimeout(resolve, watchMs));
      if (before === undefined || (await this.#idleTime()) !== before) return;
      this.#post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
      this.#post('Profiler.stopPreciseCoverage');
    } catch {
      // in native code: what runs there has no names to find
    }
  }

  /** Milliseconds the loop has waited so far; undefined when an app measures coverage itself, which must not be ended. */
  async #idleTime(): Promise<number | undefined> {
    const { result } = await this.#inspector.post<{ result: { value?: number } }>(
      'Runtime.evaluate',
      {
        expression: 'process.env.NODE_V8_COVERAGE ? undefined : performance.eventLoopUtilization().idle',
        returnByValue: true,
        silent: true,
      },
      { timeoutMs: 500 },
    );
    return result.value;
  }

  #post(method: string, params: object = {}): void {
    this.#inspector.post(method, params, { timeoutMs: collectMs }).catch(() => {});
  }
}

/** Says what could not be done when native code was in the way. */
export function stillNative(error: unknown, what: string): unknown {
  if (!(error instanceof NodeopsError) || error.code !== 'stuck') return error;
  return new NodeopsError('stuck', `the thread is in native code and did not get to ${what} in time`, {
    cause: error,
    hint: 'try again once it runs JavaScript; `stack` shows what the kernel sees of it',
  });
}
