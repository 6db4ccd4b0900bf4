/** Watches one process for some seconds with cheap reads side by side, and puts what it saw into a case. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asNodeopsError, type NodeopsError } from '../../protocol/errors.ts';
import type { HistoryReply } from '../../protocol/history.ts';
import type { OperationName, Parameters } from '../../protocol/operations.ts';
import type { ChildProcess, Envelope, Replies, SocketInfo, VersionReply } from '../../protocol/replies.ts';
import type { RequestsReply } from '../../protocol/requests.ts';
import type { WaitsReply } from '../../protocol/waits.ts';
import type { At, Case, Moment, PodFacts, Reading, StackSample } from '../../why/case.ts';
import { AgentClient } from '../client/client.ts';
import type { Target } from '../target.ts';
import { type Profiles, takeProfiles } from './profiles.ts';

export interface LookOptions {
  readonly forMs: number;
  /** Whether garbage collections may be forced. */
  readonly deep: boolean;
  /** What one reply may take, its window not counted. @default 5000 */
  readonly timeoutMs: number | undefined;
  readonly pod: PodFacts | null;
  /** The agents' port. */
  readonly port: number;
  readonly signal: AbortSignal;
  readonly now: () => Date;
}

/** The agent watches its loop for so long before it answers: little time goes unseen. */
const windowMs = 800;
/** Between two stacks. */
const stackEveryMs = 200;
/** A reply is waited for no longer than this: the look must end. */
const replyMs = 5_000;
/** The profiles' ends and the last questions must fit into what remains. */
const endMs = 1_200;
/** V8 collects only when JavaScript lets the loop turn. */
const gcMs = 25_000;
/** How long it is listened for requests that end. */
const requestsMs = 800;
/** What is answered for a process that is no more. */
const endings = new Set(['no-agent', 'no-such-process', 'unreachable', 'pod-not-running', 'no-such-pod']);
/** How long a process that starts is waited for. */
const startMs = 2_000;
const retryMs = 300;
/** How far back the recorder is asked. */
const pastMs = 1_800_000;

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
  readonly #client: AgentClient;
  readonly #missing = new Map<Reading, string>();
  readonly #had = new Set<Reading>();
  readonly #moments: Moment[] = [];
  readonly #stacks: StackSample[] = [];
  readonly #waits: At<WaitsReply>[] = [];
  readonly #requests: At<RequestsReply>[] = [];
  readonly #sockets: At<readonly SocketInfo[]>[] = [];
  readonly #collected: At<number>[] = [];
  readonly #children: At<readonly ChildProcess[]>[] = [];
  #past: HistoryReply | null = null;
  #command = '';
  #began = 0;

  constructor(target: Target, options: LookOptions) {
    this.#target = target;
    this.#options = options;
    this.#client = new AgentClient(target.endpoint);
  }

  close(): void {
    this.#client.close();
  }

  async run(): Promise<Looked> {
    const { signal, now, pod, port } = this.#options;
    const who = await this.#identify();
    const at = now().toISOString();
    this.#began = performance.now();
    if (this.#options.deep) await this.#collect();
    const profiles: { value: Profiles } = { value: { cpu: null, allocations: null } };
    const [others] = await Promise.all([
      this.#client.ask('processes', {}, this.#asking(0)).catch(() => null),
      this.#figures(),
      this.#sampleStacks(),
      this.#listWaits(),
      this.#profile().then((value) => (profiles.value = value)),
    ]);
    if (this.#options.deep) await this.#collect();
    signal.throwIfAborted();
    const gone = await this.#client.ask('version', {}, this.#asking(0)).then(
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
          command: this.#command,
          nodeVersion: who.data.nodeVersion,
          agentVersion: who.data.agentVersion,
          ownPorts: [port, ...(others?.data.processes ?? []).map((each) => each.port)],
        },
        moments: this.#moments,
        stacks: this.#stacks,
        waits: this.#waits,
        requests: this.#requests,
        sockets: this.#sockets,
        children: this.#children,
        collected: this.#collected,
        past: this.#past,
        ...profiles.value,
        pod,
        missing: [...this.#missing].map(([reading, reason]) => ({ reading, reason })),
      },
    };
  }

  /** Who starts has no agent for a moment. */
  async #identify(): Promise<Envelope<VersionReply>> {
    const until = performance.now() + startMs;
    for (;;) {
      try {
        return await this.#client.ask('version', {}, this.#asking(0));
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
  /** Until questions are no longer begun. */
  get #leftMs(): number {
    return this.#options.forMs - this.#elapsedMs;
  }

  async #figures(): Promise<void> {
    while (this.#leftMs > 300 && !this.#options.signal.aborted) {
      const window = Math.max(50, Math.min(windowMs, Math.round(this.#leftMs - 200)));
      const began = this.#elapsedMs;
      const stats = await this.#try('stats', () => this.#ask('stats', { window }, window));
      const memory = await this.#try('memstats', () => this.#ask('memstats', {}));
      if (stats && memory)
        this.#moments.push({
          atMs: this.#elapsedMs,
          stats: stats.data,
          memory: memory.data,
          stuck: stats.stuck ?? memory.stuck,
        });
      else if (this.#elapsedMs - began < 200) await this.#pause(400);
    }
  }

  async #collect(): Promise<void> {
    const reply = await this.#try('gc', () => this.#ask('gc', {}, gcMs));
    if (reply) this.#collected.push({ atMs: this.#elapsedMs, reply: reply.data.usedAfterBytes });
  }

  async #sampleStacks(): Promise<void> {
    // each has a line of its own: a thread that does not answer holds up no other question
    while (this.#leftMs > 300 && !this.#options.signal.aborted) {
      const atMs = this.#elapsedMs;
      const reply = await this.#try('stack', () => this.#ask('stack', {}));
      if (reply) {
        const tookMs = this.#elapsedMs - atMs;
        this.#stacks.push({ atMs, tookMs, threads: reply.data.threads, stuck: reply.stuck });
      }
      await this.#pause(Math.max(20, stackEveryMs - (this.#elapsedMs - atMs)));
    }
  }

  async #listWaits(): Promise<void> {
    await this.#listOnce();
    await this.#pause(this.#leftMs - endMs);
    if (this.#options.signal.aborted) return;
    const [past] = await Promise.all([
      this.#try('history', () => this.#ask('history', { since: pastMs, points: 1_800 })),
      this.#listOnce(),
    ]);
    this.#past = past?.data ?? null;
  }

  async #listOnce(): Promise<void> {
    const window = this.#waits.length === 0 ? 0 : requestsMs;
    const [waits, process, requests] = await Promise.all([
      this.#try('waits', () => this.#ask('waits', {})),
      this.#try('process', () => this.#ask('process', { duration: 0 })),
      this.#try('requests', () => this.#ask('requests', { window }, window)),
    ]);
    if (requests) this.#requests.push({ atMs: this.#elapsedMs, reply: requests.data });
    if (waits) this.#waits.push({ atMs: this.#elapsedMs, reply: waits.data });
    if (!process) return;
    this.#command = process.data.command;
    if (process.data.children) this.#children.push({ atMs: this.#elapsedMs, reply: process.data.children });
    if (process.data.sockets) this.#sockets.push({ atMs: this.#elapsedMs, reply: process.data.sockets });
  }

  /** Once it is known whether there is anything to profile. */
  async #profile(): Promise<Profiles> {
    await this.#pause(Math.min(1_500, this.#options.forMs / 5));
    if (this.#options.signal.aborted) return { cpu: null, allocations: null };
    return takeProfiles(this.#target, {
      endAt: performance.now() + this.#leftMs - endMs,
      stuck: this.#moments.at(-1)?.stuck != null,
      allocatedPerSecond: () => this.#allocatedPerSecond(),
      cpuPercent: this.#moments.at(-1)?.stats.cpu.percent ?? null,
      running: this.#stacks.some(({ threads }) =>
        threads.some(({ thread, state }) => thread === 'main' && state !== 'idle'),
      ),
      signal: this.#options.signal,
      missing: (reading, error) => this.#misses(reading, error),
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

  #ask<N extends OperationName>(
    name: N,
    parameters: Partial<Parameters<N>>,
    takesMs = 0,
  ): Promise<Envelope<Replies[N]>> {
    return this.#client.ask(name, parameters, this.#asking(takesMs));
  }

  #asking(takesMs: number) {
    const { timeoutMs = replyMs, signal } = this.#options;
    return { process: this.#target.process, signal, timeoutMs: timeoutMs + takesMs };
  }

  /** What failed once may be had the next time; what was never had is missing. */
  async #try<T>(reading: Reading, ask: () => Promise<T>): Promise<T | null> {
    try {
      const value = await ask();
      this.#had.add(reading);
      this.#missing.delete(reading);
      return value;
    } catch (error) {
      this.#misses(reading, asNodeopsError(error));
      return null;
    }
  }

  #misses(reading: Reading, error: NodeopsError): void {
    if (!this.#options.signal.aborted && !this.#had.has(reading)) this.#missing.set(reading, error.message);
  }

  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal: this.#options.signal }).catch(() => {});
  }
}
