/** Watches one process for some seconds with cheap reads side by side, and puts what it saw into a case. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asNodeopsError } from '../../protocol/errors.ts';
import type { Envelope, VersionReply } from '../../protocol/replies.ts';
import type { At, Case, Moment, PodFacts, StackSample } from '../../why/case.ts';
import type { Target } from '../target.ts';
import { Lists } from './lists.ts';
import { type Profiles, takeProfiles } from './profiles.ts';
import { type QuestionOptions, Questions } from './questions.ts';

export interface LookOptions extends QuestionOptions {
  readonly forMs: number;
  /** Whether garbage collections may be forced. */
  readonly deep: boolean;
  readonly pod: PodFacts | null;
  /** The agents' port. */
  readonly port: number;
  readonly now: () => Date;
}

/** The agent watches its loop for so long before it answers: little time goes unseen. */
const windowMs = 800;
/** Where a question waits for the one before it, a window holds up all others. */
const windowInTurnMs = 300;
/** Between two stacks. */
const stackEveryMs = 200;
/** With fewer figures or stacks little can be said. */
const enoughSeen = 3;
/** Where less was seen in the time that was wished, the look goes on for so much longer at most. */
const extensionMs = 15_000;
/** The profiles' ends and the last questions must fit into what remains. */
const endMs = 1_200;
/** V8 collects only when JavaScript lets the loop turn. */
const gcMs = 25_000;
/** What is answered for a process that is no more. */
const endings = new Set(['no-agent', 'no-such-process', 'unreachable', 'pod-not-running', 'no-such-pod']);
/** How long a process that starts is waited for. */
const startMs = 2_000;
const retryMs = 300;

export interface Looked {
  readonly who: Envelope<VersionReply>;
  readonly case: Case;
}

/** Throws what the first question throws: who does not answer that answers nothing. Later failures are told in `missing`. */
export async function lookAt(target: Target, options: LookOptions): Promise<Looked> {
  const look = new Look(target, options);
  try {
    return await look.run();
  } finally {
    look.close();
  }
}

class Look {
  readonly #target: Target;
  readonly #options: LookOptions;
  readonly #questions: Questions;
  readonly #lists: Lists;
  readonly #moments: Moment[] = [];
  readonly #stacks: StackSample[] = [];
  readonly #collected: At<number>[] = [];
  #began = 0;

  constructor(target: Target, options: LookOptions) {
    this.#target = target;
    this.#options = options;
    this.#questions = new Questions(target, options);
    this.#lists = new Lists(this.#questions, () => this.#elapsedMs);
  }

  close(): void {
    this.#questions.close();
  }

  async run(): Promise<Looked> {
    const { signal, now, pod, port } = this.#options;
    const who = await this.#identify();
    const at = now().toISOString();
    this.#began = performance.now();
    if (this.#options.deep) await this.#collect();
    const profiles: { value: Profiles } = { value: { cpu: null, allocations: null } };
    const [others] = await Promise.all([
      this.#questions.ask('processes', {}).catch(() => null),
      this.#figures(),
      this.#sampleStacks(),
      this.#listWaits(),
      this.#profile().then((value) => (profiles.value = value)),
    ]);
    if (this.#options.deep) await this.#collect();
    signal.throwIfAborted();
    const gone = await this.#questions.ask('version', {}).then(
      ({ process }) => (process.pid === who.process.pid ? null : 'another process answers now'),
      (error: unknown) => asNodeopsError(error),
    );
    const ended = gone !== null && (typeof gone === 'string' || endings.has(gone.code));
    return {
      who,
      case: {
        at,
        lookMs: this.#elapsedMs,
        ended,
        subject: {
          pid: who.process.pid,
          container: who.process.container,
          command: this.#lists.command,
          nodeVersion: who.data.nodeVersion,
          agentVersion: who.data.agentVersion,
          ownPorts: [port, ...(others?.data.processes ?? []).map((each) => each.port)],
        },
        moments: this.#moments,
        stacks: this.#stacks,
        ...this.#lists.seen(),
        collected: this.#collected,
        ...profiles.value,
        pod,
        missing: this.#questions.missing,
      },
    };
  }

  /** Who starts has no agent for a moment. */
  async #identify(): Promise<Envelope<VersionReply>> {
    const until = performance.now() + startMs;
    for (;;) {
      try {
        return await this.#questions.ask('version', {});
      } catch (error) {
        if (asNodeopsError(error).code !== 'no-agent' || performance.now() > until) throw error;
        await this.#pause(retryMs);
        this.#options.signal.throwIfAborted();
      }
    }
  }

  get #elapsedMs(): number {
    return performance.now() - this.#began;
  }
  /** Of the time that was wished. */
  get #plannedMs(): number {
    return this.#options.forMs - this.#elapsedMs;
  }
  /** Until questions are no longer begun. */
  get #leftMs(): number {
    const saw = Math.min(this.#moments.length, this.#stacks.length);
    return this.#plannedMs + (saw < enoughSeen && this.#questions.late ? extensionMs : 0);
  }

  async #figures(): Promise<void> {
    while (this.#leftMs > 300 && !this.#options.signal.aborted) {
      const longest = this.#questions.inTurn ? windowInTurnMs : windowMs;
      const window = Math.max(50, Math.min(longest, Math.round(this.#leftMs - 200)));
      const began = this.#elapsedMs;
      const stats = await this.#questions.attempt('stats', { window }, window);
      const memory = await this.#questions.attempt('memstats', {});
      if (stats && memory)
        this.#moments.push({
          atMs: this.#elapsedMs,
          clockAheadMs: Date.parse(memory.at) - this.#options.now().getTime(),
          stats: stats.data,
          memory: memory.data,
          stuck: stats.stuck ?? memory.stuck,
        });
      else if (this.#elapsedMs - began < 200) await this.#pause(400);
    }
  }

  async #collect(): Promise<void> {
    const reply = await this.#questions.attempt('gc', {}, gcMs);
    if (reply) this.#collected.push({ atMs: this.#elapsedMs, reply: reply.data.usedAfterBytes });
  }

  async #sampleStacks(): Promise<void> {
    // each has a line of its own: a thread that does not answer holds up no other question
    while (this.#leftMs > 300 && !this.#options.signal.aborted) {
      const atMs = this.#elapsedMs;
      const reply = await this.#questions.attempt('stack', {});
      if (reply) {
        // the wait for its turn says nothing of the thread
        const tookMs = this.#questions.inTurn ? 0 : this.#elapsedMs - atMs;
        this.#stacks.push({ atMs, tookMs, threads: reply.data.threads, stuck: reply.stuck });
      }
      await this.#pause(Math.max(20, stackEveryMs - (this.#elapsedMs - atMs)));
    }
  }

  async #listWaits(): Promise<void> {
    await this.#lists.list();
    await this.#pause(this.#plannedMs - endMs);
    while (this.#leftMs > endMs && !this.#options.signal.aborted) await this.#pause(retryMs);
    if (this.#options.signal.aborted) return;
    await this.#lists.listLast();
  }

  /** Once it is known whether there is anything to profile. */
  async #profile(): Promise<Profiles> {
    await this.#pause(Math.min(1_500, this.#options.forMs / 5));
    if (this.#options.signal.aborted) return { cpu: null, allocations: null };
    return takeProfiles(this.#target, {
      endAt: performance.now() + this.#plannedMs - endMs,
      stuck: this.#moments.at(-1)?.stuck != null,
      allocatedPerSecond: () => this.#allocatedPerSecond(),
      cpuPercent: this.#moments.at(-1)?.stats.cpu.percent ?? null,
      running: this.#stacks.some(({ threads }) =>
        threads.some(({ thread, state }) => thread === 'main' && state !== 'idle'),
      ),
      signal: this.#options.signal,
      missing: (reading, error) => this.#questions.misses(reading, error),
    });
  }

  /** From how often the young generation was collected: V8 tells no better. */
  #allocatedPerSecond(): number | null {
    const known = this.#moments.filter(({ memory }) => memory.gc && memory.spaces);
    const [first, last] = [known[0], known.at(-1)];
    if (!first?.memory.gc || !last?.memory.gc || first === last) return null;
    const scavenges = last.memory.gc.scavenge.count - first.memory.gc.scavenge.count;
    const space = last.memory.spaces!.find(({ name }) => name === 'new_space')?.sizeBytes ?? 0;
    const grown = Math.max(0, (last.memory.heap?.usedBytes ?? 0) - (first.memory.heap?.usedBytes ?? 0));
    return ((scavenges * space) / 2 + grown) / ((last.atMs - first.atMs) / 1000);
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: this.#options.signal }).catch(() => {});
  }
}
