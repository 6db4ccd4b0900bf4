/**
 * The lines to the inspectors of the processes seen here. An inspector that was opened for a question stays open for a few
 * seconds more, so that a command that asks again and again (`top`) does not open and close it each time, which the app's
 * stderr would show. Then it is closed; one that was open before never is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { activate } from '../../inspect/activate.ts';
import { evaluateProbe, type LoadModule } from '../../inspect/evaluate.ts';
import type { Inspector } from '../../inspect/inspector.ts';
import { isInspector, listeningOn } from '../../inspect/inspector-port.ts';
import { openRemote } from '../../inspect/remote.ts';
import { readKernel } from '../../proc/files.ts';
import { readNativeEvidence } from '../../proc/native.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { isAlive, lend } from './session.ts';

/** A process by its number and the time it began. */
export interface Which {
  readonly pid: number;
  readonly startTicks: number;
}

/** How long a line that nobody uses is kept. */
/** How long a process waits for the inspector's port that another of its pod holds, and how often it looks. */
const busyMs = 5_000;
const turnMs = 100;
const holdMs = 5_000;
/** An inspector that did not open in time, as its main thread was in native code, is waited for so long to close it again. */
const lateMs = 30_000;
/** The same where the main thread is idle: then most likely a handler of the app's own ran, and none will open. */
const lateIdleMs = 3_000;
const lookMs = 100;

interface Held {
  readonly session: Inspector;
  /** Askers at this moment, each on a session of its own. */
  users: number;
  /** Whether `session` is lent. */
  lent: boolean;
  /** While it is being given back. */
  returning: Promise<void> | undefined;
  timer: NodeJS.Timeout | undefined;
}

export class Lines {
  readonly #held = new Map<string, Held>();
  readonly #opening = new Set<Promise<unknown>>();
  /** Processes whose app takes SIGUSR1 for itself: they are not sent another. */
  readonly #ownHandler = new Set<string>();
  #closed = false;

  /** A line to a process, to be closed by who asked. Throws as `activate`, and `busy`. */
  open(which: Which): Promise<Inspector> {
    if (this.#closed) return Promise.reject(new NodeopsError('no-such-process', 'the sidecar is ending'));
    return this.#track(this.#open(which));
  }

  /** Closes every line, those included that are being opened, and does not open any more. */
  async close(): Promise<void> {
    this.#closed = true;
    do {
      await Promise.allSettled([...this.#held.keys()].map((key) => this.#drop(key)));
      // what is being opened may leave more to be closed
      await Promise.allSettled(this.#opening);
    } while (this.#held.size > 0 || this.#opening.size > 0);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#opening.add(work);
    const done = () => void this.#opening.delete(work);
    work.then(done, done);
    return work;
  }

  async #open(which: Which): Promise<Inspector> {
    const key = `${which.pid} ${which.startTicks}`;
    await this.#held.get(key)?.returning;
    const held = this.#held.get(key);
    if (held && !held.lent && (await isAlive(held.session))) return this.#lend(key, held);
    if (held?.lent) return this.#beside(key, held, which);
    if (held) await this.#drop(key);
    await this.#freePort(key);
    const session = await this.#activate(key, which);
    const fresh: Held = { session, users: 0, lent: false, returning: undefined, timer: undefined };
    this.#held.set(key, fresh);
    return this.#lend(key, fresh);
  }

  #lend(key: string, held: Held): Inspector {
    clearTimeout(held.timer);
    held.users++;
    held.lent = true;
    const lent = lend(held.session, async (clean) => {
      held.users--;
      held.lent = false;
      held.returning = undefined;
      await this.#release(key, held, clean);
    });
    return {
      ...lent,
      close() {
        held.returning ??= lent.close();
        return held.returning;
      },
    };
  }

  /** A second session while the first is in use: what one switches on and off is not the other's. */
  async #beside(key: string, held: Held, { pid }: Which): Promise<Inspector> {
    held.users++;
    const over = async () => {
      held.users--;
      await this.#release(key, held, true);
    };
    try {
      const session = await activate(pid);
      return lend(session, async () => {
        await session.close();
        await over();
      });
    } catch (error) {
      await over();
      throw error;
    }
  }

  async #release(key: string, held: Held, clean: boolean): Promise<void> {
    if (held.users > 0 || this.#held.get(key) !== held) return;
    if (!clean || this.#closed) return this.#drop(key);
    clearTimeout(held.timer);
    held.timer = setTimeout(() => void this.#track(this.#drop(key)), holdMs);
  }

  async #drop(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (!held) return;
    this.#held.delete(key);
    clearTimeout(held.timer);
    await held.session.close();
  }

  /** Processes of one pod open their inspectors on the same port unless told otherwise: one at a time. */
  async #freePort(wanted: string): Promise<void> {
    for (const [key, { users }] of [...this.#held]) if (key !== wanted && users === 0) await this.#drop(key);
  }

  async #activate(key: string, which: Which, endMs = performance.now() + busyMs): Promise<Inspector> {
    const { pid } = which;
    if (this.#ownHandler.has(key)) throw ownHandler(pid);
    const since = Date.now();
    const procDir = `/proc/${pid}`;
    const before = new Set((await listeningOn(procDir))?.map(({ port }) => port));
    try {
      return await activate(pid);
    } catch (error) {
      if (!(error instanceof NodeopsError)) throw error;
      const others = [...this.#held.keys()].filter((other) => other !== key).map((other) => other.split(' ')[0]);
      if (error.code === 'refused' && others.length > 0 && /^port \d+/.test(error.message)) {
        // whoever holds the port is done within a moment, unless it captures
        if (performance.now() < endMs) {
          await sleep(turnMs);
          await this.#freePort(key);
          return this.#activate(key, which, endMs);
        }
        throw new NodeopsError(
          'busy',
          `process ${others.join(', ')} is being looked at through the port that process ${pid} would open its inspector on`,
          { cause: error, hint: 'ask again when that is over' },
        );
      }
      if (error.code !== 'stuck') throw error;
      const subject = { pid, procDir, inspector: never, lastKnown: new Map(), ownThreadId: undefined };
      const evidence = await readNativeEvidence(subject, since);
      if (await isIdle(procDir, evidence.syscall)) {
        this.#ownHandler.add(key);
        const late = closeLate(pid, before, lateIdleMs).then((opened) => opened && this.#ownHandler.delete(key));
        this.#track(late).catch(() => {});
        throw ownHandler(pid, error);
      }
      this.#track(closeLate(pid, before, lateMs)).catch(() => {});
      throw error;
    }
  }
}

/** Waits for an inspector that a signal of ours may still open, and closes it. Whether there was one. */
async function closeLate(pid: number, before: ReadonlySet<number>, limitMs: number): Promise<boolean> {
  const endAt = performance.now() + limitMs;
  while (performance.now() < endAt) {
    await sleep(lookMs);
    const ports = await listeningOn(`/proc/${pid}`);
    if (!ports) return false;
    for (const address of ports) {
      if (before.has(address.port) || !(await isInspector(address))) continue;
      const session = await openRemote(address);
      await evaluateProbe(session, closeInspector, null).catch(() => {});
      await session.close();
      return true;
    }
  }
  return false;
}

/** Runs in the target. */
function closeInspector(_: null, load: LoadModule): boolean {
  (load('inspector') as { close(): void }).close();
  return true;
}

/**
 * Whether the main thread waits in its event loop: Node's own handler would have opened the inspector by now. A child run by
 * execSync is waited for in epoll too; such a process has a child.
 */
async function isIdle(procDir: string, syscall: string | null): Promise<boolean> {
  if (!syscall?.startsWith('epoll_')) return false;
  const pid = procDir.slice('/proc/'.length);
  const children = await readKernel(`${procDir}/task/${pid}/children`);
  return children?.trim() === '';
}

function ownHandler(pid: number, cause?: unknown): NodeopsError {
  return new NodeopsError(
    'refused',
    `process ${pid} handles SIGUSR1 itself: its handler ran, and no inspector was opened`,
    {
      cause,
      hint: 'start it with an open inspector (--inspect=127.0.0.1:0), or with the agent: --require nodeops/preload',
    },
  );
}

function never(): Promise<Inspector> {
  return Promise.reject(new NodeopsError('stuck', 'only the kernel is asked'));
}
