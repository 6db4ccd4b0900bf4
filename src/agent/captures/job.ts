import { randomBytes } from 'node:crypto';
import type { CaptureControl, CaptureRunner } from '../../inspect/captures/capture.ts';
import { handingOver, watchMemoryLeft } from '../../inspect/captures/memory-left.ts';
import { captureRunners } from '../../inspect/captures/runners.ts';
import type { Subject } from '../../inspect/subject.ts';
import {
  type Capture,
  type CaptureName,
  type CaptureParameters,
  captures,
  type JobInfo,
} from '../../protocol/captures.ts';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { encodeError } from '../../protocol/wire.ts';
import type { Artifact } from './artifact.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { Condition } from './condition.ts';

/** The process that a capture is taken of. */
export interface JobProcess {
  readonly container: string | null;
  readonly pid: number;
  /** Runs `read` on the process with a Subject whose inspector is its own, and closes that at the end. */
  look<T>(read: (subject: Subject) => Promise<T>): Promise<T>;
}

const notesKept = 50;

/** One capture, from its start until its artifact is gone. All times are monotonic. */
export class Job {
  readonly id = randomBytes(16).toString('base64url');
  readonly capture: CaptureName;
  readonly process: JobProcess;
  readonly artifact: Artifact;
  /** Rings when anything of `info` other than time has changed. */
  readonly changed = new Condition();
  /** Settles when nothing of it runs any more; never rejects. */
  readonly over: Promise<void>;
  state: JobInfo['state'] = 'running';
  endedAt: number | undefined;
  lastAskedAt = performance.now();
  sha256: string | null = null;
  readonly #parameters: Readonly<Record<string, unknown>>;
  readonly #startedAt = performance.now();
  readonly #startedDate = new Date().toISOString();
  readonly #stop = new AbortController();
  readonly #abandon = new AbortController();
  readonly #notes: string[] = [];
  #phase = 'starting';
  #progress: number | null = null;
  #span: { from: number; milliseconds: number } | undefined;
  #stoppedEarly = false;
  /** Why memory is short. */
  #short: string | undefined;
  #error: JobInfo['error'] = null;

  constructor(
    capture: CaptureName,
    parameters: Readonly<Record<string, unknown>>,
    process: JobProcess,
    store: ArtifactStore,
  ) {
    this.capture = capture;
    this.process = process;
    this.#parameters = parameters;
    const { artifact, note } = store.create(this.id, captures[capture].extension);
    this.artifact = artifact;
    if (note) this.#notes.push(note);
    this.over = this.#run().finally(() => {
      if (this.state === 'finished') store.finished(artifact);
      else artifact.remove();
      this.endedAt = performance.now();
      this.changed.notify();
    });
  }

  get running(): boolean {
    return this.endedAt === undefined;
  }

  get error(): JobInfo['error'] {
    return this.#error;
  }

  /** Somebody still wants it. */
  asked(): void {
    this.lastAskedAt = performance.now();
  }

  /** Throws `refused` where half an artifact is none. */
  stop(): void {
    if (!this.running) return;
    const { stoppable }: Capture = captures[this.capture];
    if (!stoppable)
      throw new NodeopsError('refused', `a ${this.capture} cannot be ended early: half of one cannot be read`, {
        hint: 'wait for it, or abandon it: interrupt twice, or DELETE the job',
      });
    this.#stoppedEarly = true;
    this.#phase = 'ending early';
    this.#stop.abort();
    this.changed.notify();
  }

  /** Ends what runs, and removes what was kept. `why`: a note for whoever comes late. */
  abandon(why?: string): void {
    if (why) this.#notes.push(why);
    if (this.state === 'running' || this.state === 'finished') this.state = 'abandoned';
    this.artifact.remove();
    this.#abandon.abort();
    this.changed.notify();
  }

  info(): JobInfo {
    const { state, artifact } = this;
    const elapsedMs = Math.round((this.endedAt ?? performance.now()) - this.#startedAt);
    const left = this.#span && Math.max(0, this.#span.milliseconds - (performance.now() - this.#span.from));
    return {
      id: this.id,
      capture: this.capture,
      parameters: { ...this.#parameters },
      state,
      startedAt: this.#startedDate,
      elapsedMs,
      remainingMs: state === 'finished' ? 0 : left === undefined || state !== 'running' ? null : Math.round(left),
      phase: state === 'running' ? this.#phase : state,
      progress: state === 'finished' ? 1 : left === undefined ? this.#progress : 1 - left / this.#span!.milliseconds,
      stoppedEarly: this.#stoppedEarly,
      bytes: artifact.bytes,
      sha256: this.sha256,
      resumable: artifact.resumable && !artifact.removed,
      path: state === 'finished' && !artifact.removed ? artifact.path : null,
      error: this.#error,
      notes: [...this.#notes],
    };
  }

  async #run(): Promise<void> {
    const run = captureRunners[this.capture] as CaptureRunner<CaptureName>;
    const parameters = this.#parameters as CaptureParameters<CaptureName>;
    try {
      await this.process.look(async (subject) => {
        // V8 ends no snapshot early, and writes it piece by piece: what it has gathered is handed over without more
        const times = (captures[this.capture] as Capture).stoppable ? handingOver : 0;
        const memory = await watchMemoryLeft(subject.procDir, times, (why) => this.#runShort(why));
        try {
          this.#refuseShort();
          await run(subject, parameters, this.artifact, this.#control());
        } finally {
          memory.end();
        }
      });
      if (this.state !== 'running') return;
      this.sha256 = this.artifact.finish();
      this.state = 'finished';
    } catch (error) {
      if (this.state !== 'running') return;
      this.state = 'failed';
      this.#error = encodeError(asNodeopsError(this.#asShort(error))).error;
    }
  }

  /** Memory is short: it ends with what there is, or, where half of one is none, keeps nothing more. */
  #runShort(why: string): void {
    if (!this.running || this.#stop.signal.aborted || this.#forced) return;
    this.#short = why;
    const { stoppable }: Capture = captures[this.capture];
    if (stoppable) {
      this.#notes.push(`ended early: ${why}`);
      this.stop();
    } else this.#abandon.abort();
  }

  #asShort(error: unknown): unknown {
    if (!this.#abandon.signal.aborted || this.#short === undefined) return error;
    return new NodeopsError('failed', `the ${this.capture} was given up, and nothing is kept of it: ${this.#short}`, {
      cause: error,
    });
  }

  get #forced(): boolean {
    return this.#parameters.force === true;
  }

  /** Nothing is begun that would end at once. */
  #refuseShort(): void {
    if (this.#short === undefined) return;
    throw new NodeopsError('refused', `a ${this.capture} is not begun: ${this.#short}`, {
      hint: 'raise the memory limit, or ask when less is in use; `stack` and `stats` take next to nothing',
    });
  }

  #control(): CaptureControl {
    const changing =
      <A extends unknown[]>(change: (...given: A) => void) =>
      (...given: A): void => {
        change(...given);
        this.changed.notify();
      };
    return {
      stopped: this.#stop.signal,
      abandoned: this.#abandon.signal,
      phase: changing((text: string) => {
        this.#phase = text;
      }),
      progress: changing((share: number | null) => {
        this.#progress = share;
      }),
      endsIn: changing((milliseconds: number | null) => {
        this.#span = milliseconds === null ? undefined : { from: performance.now(), milliseconds };
      }),
      note: changing((text: string) => {
        if (this.#notes.length < notesKept) this.#notes.push(text);
      }),
    };
  }
}
