/** Samples every process side by side over one kept-alive connection each, for as long as the run lasts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import type { Envelope, MemstatsReply } from '../../../protocol/replies.ts';
import { pathPrefix } from '../../../protocol/wire.ts';
import { AgentClient, askTimeoutMs } from '../../client/client.ts';
import { readReply } from '../../client/exchange.ts';
import type { Io } from '../../io.ts';
import { type TargetName, targetName } from '../../render/target-name.ts';
import type { Target } from '../../target.ts';
import { type Poll, toSample } from '../top/sample.ts';
import { pausesBetween } from './pauses.ts';
import type { ProcessRun, Seen } from './run.ts';
import type { Point } from './statistics.ts';
import { UncaughtTally } from './uncaught.ts';

export interface SamplingOptions {
  readonly forMs: number;
  readonly everyMs: number;
  readonly warmupMs: number;
  /** Forced collections; 0 for none. */
  readonly gcs: number;
  /** What one reply may take, its window not counted. @default the client's */
  readonly timeoutMs: number | undefined;
}

/** What sampling alone can say of a process. */
export type Sampled = Omit<ProcessRun, 'workload' | 'restarts' | 'presence'>;

/** After a poll that failed. */
const pauseMs = 500;
/** A forced collection: the agent's own deadline for it, and the way. */
const gcTimeoutMs = 35_000;
/** How much earlier a process's clock may begin before it counts as another process, in seconds. */
const clockSlackSeconds = 2;

export async function sampleAll(targets: readonly Target[], options: SamplingOptions, io: Io): Promise<Sampled[]> {
  const sampled = await Promise.all(targets.map((target) => new Sampler(target, options, io.signal).run()));
  if (io.signal.aborted) throw new NodeopsError('interrupted', 'interrupted before the run was over');
  return sampled;
}

class Sampler {
  readonly #target: Target;
  readonly #options: SamplingOptions;
  readonly #signal: AbortSignal;
  readonly #client: AgentClient;
  readonly #samples: Seen[] = [];
  readonly #afterGc: Point[] = [];
  readonly #uncaught = new UncaughtTally();
  #name: TargetName;
  #versions: ProcessRun['versions'] = null;
  #before: Poll | undefined;
  #uptime: { atMs: number; seconds: number } | undefined;
  #resets = 0;
  #failed = 0;
  #problem: NodeopsError | undefined;
  #gcProblem: NodeopsError | undefined;

  constructor(target: Target, options: SamplingOptions, signal: AbortSignal) {
    this.#target = target;
    this.#options = options;
    this.#signal = signal;
    this.#name = targetName(target);
    this.#client = new AgentClient(target.endpoint);
  }

  async run(): Promise<Sampled> {
    const { forMs, everyMs, warmupMs } = this.#options;
    const startMs = performance.now() + warmupMs;
    try {
      await this.#identify();
      await this.#wait(startMs - performance.now());
      await this.#trying(async () => void (await this.#baseline()));
      // the polls are the clock: the last one may end a little after the run
      while (!this.#signal.aborted && performance.now() - startMs < forMs - everyMs / 2) await this.#poll(startMs);
      await this.#collect(startMs, forMs);
    } finally {
      this.#client.close();
    }
    return {
      target: this.#target,
      name: this.#name,
      versions: this.#versions,
      samples: this.#samples,
      due: Math.floor(forMs / everyMs),
      failed: this.#failed,
      problem: this.#problem,
      afterGc: this.#afterGc,
      gcProblem: this.#gcProblem,
      resets: this.#resets,
      uncaught: this.#uncaught.result(),
    };
  }

  async #identify(): Promise<void> {
    await this.#trying(async () => {
      const who = await this.#client.ask('version', {}, this.#asking(0));
      this.#name = targetName(this.#target, who);
      this.#versions = { node: who.data.nodeVersion, agent: who.data.agentVersion };
    });
  }

  async #poll(startMs: number): Promise<void> {
    const began = performance.now();
    const { everyMs } = this.#options;
    await this.#collect(startMs, began - startMs);
    await this.#trying(async () => {
      if (!this.#versions) await this.#identify();
      // the agent watches its event loop for most of the interval: little time goes unseen
      const window = Math.max(50, Math.round(everyMs * 0.9) - 50);
      const stats = await this.#client.ask('stats', { window }, this.#asking(window));
      const memory = await this.#memory();
      const poll = { atMs: performance.now(), stats, memory };
      this.#notice(poll);
      const pauses = this.#before ? pausesBetween(this.#before.memory.data.gc, memory.data.gc) : null;
      this.#samples.push({ ...toSample(poll, this.#before), atMs: poll.atMs - startMs, pauses });
      this.#before = poll;
    });
    await this.#wait(everyMs - (performance.now() - began));
  }

  /** Spread over the run, its ends included: how far the heap has grown is told between the first and the last. */
  async #collect(startMs: number, elapsedMs: number): Promise<void> {
    const { gcs, forMs } = this.#options;
    const next = this.#afterGc.length;
    const due = (next * forMs) / Math.max(1, gcs - 1);
    if (next >= gcs || elapsedMs < due || this.#gcProblem || this.#signal.aborted) return;
    try {
      await this.#forceGc();
      // pauses that we caused ourselves are not the app's
      this.#before = undefined;
      const heap = await this.#baseline();
      if (heap) this.#afterGc.push({ atMs: performance.now() - startMs, value: heap.usedBytes });
    } catch (error) {
      const problem = asNodeopsError(error);
      this.#gcProblem =
        problem.code === 'no-such-operation'
          ? new NodeopsError('unsupported', 'the agent is too old to force garbage collections', { cause: problem })
          : problem;
    }
  }

  /** What the next poll is compared with. */
  async #baseline(): Promise<MemstatsReply['heap']> {
    const stats = await this.#client.ask('stats', { window: 0 }, this.#asking(0));
    const memory = await this.#memory();
    const poll = { atMs: performance.now(), stats, memory };
    this.#notice(poll);
    this.#before = poll;
    return memory.data.heap;
  }

  /** By its path: an agent of before the operation says that there is none. */
  async #forceGc(): Promise<void> {
    const { process } = this.#target;
    const query = process === undefined ? '' : `?${new URLSearchParams({ process })}`;
    const timeoutMs = Math.max(gcTimeoutMs, this.#options.timeoutMs ?? 0);
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(timeoutMs)]);
    await readReply(await this.#client.request({ method: 'POST', path: `${pathPrefix}gc${query}`, signal, timeoutMs }));
  }

  #memory(): Promise<Envelope<MemstatsReply>> {
    return this.#client.ask('memstats', {}, this.#asking(0));
  }

  #asking(windowMs: number) {
    const { timeoutMs = askTimeoutMs } = this.#options;
    return { process: this.#target.process, signal: this.#signal, timeoutMs: timeoutMs + windowMs };
  }

  /** A process that began after the one before it did is another one, under the same name. */
  #notice({ atMs, stats }: Poll): void {
    const seconds = stats.data.uptimeSeconds;
    const before = this.#uptime;
    const restarted =
      before !== undefined && seconds + clockSlackSeconds < before.seconds + (atMs - before.atMs) / 1000;
    this.#uncaught.see(stats, restarted);
    if (restarted) {
      this.#resets++;
      this.#before = undefined;
    }
    this.#uptime = { atMs, seconds };
  }

  async #trying(attempt: () => Promise<void>): Promise<void> {
    try {
      await attempt();
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#failed++;
      this.#problem = asNodeopsError(error);
      this.#before = undefined;
      await this.#wait(pauseMs);
    }
  }

  async #wait(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: this.#signal }).catch(() => {});
  }
}
