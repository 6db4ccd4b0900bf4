/** What is listed at the begin of a look and again at its end: waits, sockets, requests, children, what memory is for. */
import type { ExceptionsReply } from '../../protocol/exceptions.ts';
import type { HistoryReply } from '../../protocol/history.ts';
import type { ChildProcess, ProcessEnvironment, ResidentMemory, SocketInfo } from '../../protocol/replies.ts';
import type { RequestsReply } from '../../protocol/requests.ts';
import type { WaitsReply } from '../../protocol/waits.ts';
import type { At, Case } from '../../why/case.ts';
import type { Questions } from './questions.ts';

/** How long it is listened for requests that end. */
const requestsMs = 800;
/** How far back the recorder is asked. */
const pastMs = 1_800_000;

export class Lists {
  readonly #questions: Questions;
  readonly #elapsedMs: () => number;
  readonly #waits: At<WaitsReply>[] = [];
  readonly #requests: At<RequestsReply>[] = [];
  readonly #sockets: At<readonly SocketInfo[]>[] = [];
  readonly #children: At<readonly ChildProcess[]>[] = [];
  readonly #resident: At<ResidentMemory>[] = [];
  #environment: ProcessEnvironment | null = null;
  #exceptions: ExceptionsReply | null = null;
  #past: HistoryReply | null = null;
  #command = '';

  constructor(questions: Questions, elapsedMs: () => number) {
    this.#questions = questions;
    this.#elapsedMs = elapsedMs;
  }

  get command(): string {
    return this.#command;
  }

  seen() {
    return {
      waits: this.#waits,
      requests: this.#requests,
      sockets: this.#sockets,
      children: this.#children,
      resident: this.#resident,
      environment: this.#environment,
      exceptions: this.#exceptions,
      past: this.#past,
    } satisfies Partial<Case>;
  }

  async list(): Promise<void> {
    const window = this.#waits.length === 0 ? 0 : requestsMs;
    const [waits, process, requests, memory] = await Promise.all([
      this.#questions.attempt('waits', {}),
      this.#questions.attempt('process', { duration: 0 }),
      this.#questions.attempt('requests', { window }, window),
      this.#questions.attempt('memstats', { explain: true }),
    ]);
    const atMs = this.#elapsedMs();
    if (requests) this.#requests.push({ atMs, reply: requests.data });
    if (waits) this.#waits.push({ atMs, reply: waits.data });
    if (memory?.data.resident) this.#resident.push({ atMs, reply: memory.data.resident });
    if (!process) return;
    const { command, environment, children, sockets } = process.data;
    this.#command = command;
    // the look's own profiles come later
    this.#environment ??= environment ?? null;
    if (children) this.#children.push({ atMs, reply: children });
    if (sockets) this.#sockets.push({ atMs, reply: sockets });
  }

  /** With what the agent kept of the past. */
  async listLast(): Promise<void> {
    const [past, exceptions] = await Promise.all([
      this.#questions.attempt('history', { since: pastMs, points: 1_800 }),
      this.#questions.attempt('exceptions', {}),
      this.list(),
    ]);
    this.#past = past?.data ?? null;
    this.#exceptions = exceptions?.data ?? null;
  }
}
