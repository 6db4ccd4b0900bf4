import type { NativeEvidence } from '../protocol/replies.ts';
import { readKernel, readLink } from './files.ts';
import { parseStat } from './identity.ts';
import { syscallName } from './syscalls.ts';

/** Whose main thread is looked at, and what was seen of it before. */
interface Watched {
  readonly procDir: string;
  readonly lastKnown: Map<string, unknown>;
}

/** What was seen of a stuck main thread last time: while it has not run since, the wait is one and the same. */
interface Seen {
  readonly since: number;
  readonly syscall: string | null;
  readonly switches: string | undefined;
}

/** What the kernel shows of a main thread that has not answered since `since` (as of Date.now). */
export async function readNativeEvidence(subject: Watched, since: number): Promise<NativeEvidence> {
  const id = subject.procDir === '/proc/self' ? await readLink('/proc/self') : subject.procDir.slice('/proc/'.length);
  const task = `${subject.procDir}/task/${id}`;
  const [stat, wchanText, syscallText, status] = await Promise.all(
    ['stat', 'wchan', 'syscall', 'status'].map((name) => readKernel(`${task}/${name}`)),
  );
  const state = stat ? parseStat(stat).state : null;
  const wchan = wchanText && wchanText !== '0' ? wchanText.trim() : null;
  const number = /^(\d+) /.exec(syscallText ?? '')?.[1];
  const syscall = number === undefined ? null : syscallName(Number(number));

  const switches = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(status ?? '')?.[1];
  const before = subject.lastKnown.get('native') as Seen | undefined;
  const same =
    before && state !== 'R' && switches !== undefined && before.switches === switches && before.syscall === syscall;
  const seen: Seen = { since: same ? before.since : since, syscall, switches };
  subject.lastKnown.set('native', seen);
  const forMs = Date.now() - seen.since;
  const children = syscall?.startsWith('epoll_') ? await readKernel(`${task}/children`) : null;
  const isAlone = children?.trim() === '';
  return { state, wchan, syscall, forMs, summary: summarize({ state, syscall, wchan, isAlone }, forMs) };
}

interface Shown {
  readonly state: string | null;
  readonly syscall: string | null;
  readonly wchan: string | null;
  /** Whether it is known to have no child process. */
  readonly isAlone: boolean;
}

function summarize({ state, syscall, wchan, isAlone }: Shown, forMs: number): string {
  const time = `for at least ${(forMs / 1000).toFixed(1)} s`;
  const where = syscall ? `${syscall}(2)` : wchan;
  if (state === 'T' || state === 't') return `main thread has been stopped by a signal or a debugger ${time}`;
  if (state === 'D')
    return `main thread is waiting in ${where ?? 'the kernel'} ${time}, and nothing can interrupt it: a disk or network file system`;
  if (state === 'R' || where === null)
    return `main thread has been in native code ${time}, such as synchronous crypto or zlib, JSON.parse or a garbage collection`;
  // execSync waits for its child in the same call; without a child it is the event loop itself
  if (syscall?.startsWith('epoll_') && isAlone)
    return `main thread is waiting in ${where}, most likely in its event loop, and has not answered ${time}: a busy machine, or a CPU limit`;
  if (syscall?.startsWith('epoll_'))
    return `main thread is waiting in ${where} ${time}, outside its event loop: a child process run by execSync or spawnSync`;
  if (syscall === 'futex')
    return `main thread is waiting in ${where} ${time}: a lock, or threads that help it, such as in a garbage collection`;
  return `main thread is waiting in ${where} ${time}`;
}
