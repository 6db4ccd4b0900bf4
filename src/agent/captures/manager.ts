import { type CaptureName, type CaptureParameters, captures } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import type { ArtifactSettings } from '../settings/artifact-settings.ts';
import { ArtifactStore } from './artifact-store.ts';
import { Job, type JobProcess } from './job.ts';
import type { MemoryLimits } from './memory-artifact.ts';

/** Waits of the manager, in milliseconds; each defaults to the entry of `limits` of that name. */
export interface JobTimes {
  readonly jobAbandonedMs: number;
  readonly jobKeptMs: number;
}

/** How often it is looked whether somebody still asks. */
const roundMs = 1_000;
/** Captures of all processes together that run at the same time. */
const runningLimit = 32;

/** The captures of one agent: of its own process, and of those that it looks at from outside. */
export class JobManager {
  readonly #store: ArtifactStore;
  readonly #times: JobTimes;
  readonly #jobs = new Map<string, Job>();
  #rounds: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(settings: ArtifactSettings, times: Partial<JobTimes> = {}, memory: Partial<MemoryLimits> = {}) {
    this.#store = new ArtifactStore(settings, memory);
    this.#times = { jobAbandonedMs: limits.jobAbandonedMs, jobKeptMs: limits.jobKeptMs, ...times };
  }

  /** Captures that run or are kept: while there are some the agent has a reason to stay awake. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Whose capture that is; undefined for an id that is unknown or expired. */
  processOf(id: string): JobProcess | undefined {
    return this.#jobs.get(id)?.process;
  }

  /** Starts a capture. Throws `busy` while another one that it would disturb runs on that process. */
  start<N extends CaptureName>(capture: N, parameters: CaptureParameters<N>, process: JobProcess): Job {
    if (this.#closed) throw new NodeopsError('refused', 'the agent is ending');
    const running = [...this.#jobs.values()].filter((job) => job.running);
    if (running.length >= runningLimit) throw new NodeopsError('busy', `${runningLimit} captures run already`);
    const other = isHeavy(capture) && running.find((job) => isHeavy(job.capture) && isSame(job.process, process));
    if (other) throw busy(other);
    const job = new Job(capture, parameters, process, this.#store);
    this.#jobs.set(job.id, job);
    this.#forgetOldest(process);
    this.#rounds ??= setInterval(() => this.#round(), roundMs).unref();
    return job;
  }

  /** Throws `no-such-job` for an id that is unknown, expired, or of another process. */
  find(id: string, process: { container: string | null; pid: number }): Job {
    const job = this.#jobs.get(id);
    if (job && isSame(job.process, process)) return job;
    throw new NodeopsError('no-such-job', `process ${process.pid} has no capture '${id.slice(0, 32)}'`, {
      hint: `it was abandoned, or finished more than ${this.#times.jobKeptMs / 60_000} minutes ago: start it again`,
    });
  }

  /** Abandons and removes everything; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#rounds);
    const jobs = [...this.#jobs.values()];
    for (const job of jobs) job.abandon('the agent ended');
    this.#jobs.clear();
    await Promise.all(jobs.map(({ over }) => over));
  }

  #round(): void {
    const now = performance.now();
    for (const job of this.#jobs.values()) {
      const silentMs = now - job.lastAskedAt;
      if (job.state === 'running' && silentMs > this.#times.jobAbandonedMs)
        job.abandon(`nobody asked for it for ${Math.round(silentMs / 1000)} s`);
      const keptFrom = Math.max(job.endedAt ?? now, job.lastAskedAt);
      if (!job.running && now - keptFrom > this.#times.jobKeptMs) this.#forget(job);
    }
    if (this.#jobs.size > 0) return;
    clearInterval(this.#rounds);
    this.#rounds = undefined;
  }

  #forgetOldest(process: JobProcess): void {
    const ended = [...this.#jobs.values()].filter((job) => !job.running && isSame(job.process, process));
    for (const job of ended.slice(0, Math.max(0, ended.length - limits.jobsKept))) this.#forget(job);
  }

  #forget(job: Job): void {
    this.#jobs.delete(job.id);
    job.artifact.remove();
  }
}

/** Whether a capture would disturb another one of the same process. */
function isHeavy(capture: CaptureName): boolean {
  return captures[capture].cost !== 'pause of milliseconds';
}

function isSame(a: { container: string | null; pid: number }, b: { container: string | null; pid: number }): boolean {
  return a.pid === b.pid && a.container === b.container;
}

function busy(other: Job): NodeopsError {
  const { id, capture, remainingMs } = other.info();
  const left = remainingMs === null ? '' : `, for ${Math.ceil(remainingMs / 1000)} s more`;
  return new NodeopsError(
    'busy',
    `process ${other.process.pid} is being captured already: ${capture} ${id} runs${left}`,
    {
      hint: 'try again when it has ended',
      detail: { id, capture, remainingMs },
    },
  );
}
