/** The threads of a process by what each is for, and the CPU each takes. */
import { readLinkNow, readText } from '../proc/files.ts';
import { isStatic, readMaps } from '../proc/maps.ts';
import { syscallName } from '../proc/syscalls.ts';
import { type KernelThread, mainThreadOf, readThreadCall, readThreads } from '../proc/threads.ts';
import type { ThreadUse } from '../protocol/replies.ts';
import { within } from './ask.ts';
import type { RemoteObject } from './evaluate.ts';
import type { Subject } from './subject.ts';
import type { WorkerLine } from './workers.ts';

interface KnownWorker {
  readonly tid: number | undefined;
  readonly triedAt: number;
  readonly name: string | null;
}

/** A worker that is silent for so long is in native code; it is asked again later. */
const silenceMs = 250;
const askAgainMs = 5_000;
/** Workers of a reply that have a line of their own. */
const workersShown = 16;
/** What the agent calls its worker thread. */
const agentName = 'nodeops';
const whoAmI =
  "typeof process === 'object' && process.getBuiltinModule ? process.getBuiltinModule('fs').readlinkSync('/proc/thread-self') : ''";

function knownWorkers({ lastKnown }: Subject): Map<number, KnownWorker> {
  const known = (lastKnown.get('worker threads') as Map<number, KnownWorker> | undefined) ?? new Map();
  lastKnown.set('worker threads', known);
  return known;
}

/** Asks workers which of the kernel's threads they are, once each. */
export async function learnWorkers(subject: Subject, lines: readonly WorkerLine[]): Promise<void> {
  const known = knownWorkers(subject);
  const now = performance.now();
  const asked = lines.filter(({ threadId }) => {
    const before = known.get(threadId);
    return before === undefined || (before.tid === undefined && now - before.triedAt > askAgainMs);
  });
  await Promise.all(
    asked.map(async ({ threadId, name, inspector }) => {
      const answer = inspector.post<{ result: RemoteObject<string> }>('Runtime.evaluate', {
        expression: whoAmI,
        silent: true,
      });
      const link = await within(silenceMs, answer).then(
        ({ result }) => result.value,
        () => undefined,
      );
      const tid = Number(/\/task\/(\d+)$/.exec(link ?? '')?.[1]);
      known.set(threadId, { tid: tid || undefined, triedAt: now, name });
    }),
  );
}

/** The kernel's id of a worker thread that has said it. */
export function workerThread(subject: Subject, threadId: number): number | undefined {
  return knownWorkers(subject).get(threadId)?.tid;
}

/** What a thread is for. */
interface Purpose {
  readonly kind: ThreadUse['kind'];
  readonly name: string;
}

export interface ThreadLook {
  readonly at: number;
  readonly threads: readonly (KernelThread & Purpose)[];
}

/** Null where there is no /proc. */
export function lookAtThreads(subject: Subject): ThreadLook | null {
  const threads = readThreads(subject.procDir);
  if (!threads) return null;
  const purpose = purposes(subject, threads);
  return { at: performance.now(), threads: threads.map((thread) => ({ ...thread, ...purpose(thread) })) };
}

function purposes(subject: Subject, threads: readonly KernelThread[]): (thread: KernelThread) => Purpose {
  const main = mainThreadOf(subject.procDir);
  const own =
    subject.ownThreadId === undefined ? undefined : Number(readLinkNow('/proc/thread-self')?.split('/').at(-1));
  const workers = new Map<number, [number, KnownWorker]>();
  for (const [id, worker] of knownWorkers(subject)) if (worker.tid !== undefined) workers.set(worker.tid, [id, worker]);
  const unnamed = threads.some(({ comm }) => /V8Worker|libuv-worker|DelayedTask/.test(comm))
    ? undefined
    : unnamedPool(subject, threads, new Set([main, ...(own === undefined ? [] : [own]), ...workers.keys()]));
  return ({ tid, comm }) => {
    if (tid === main) return { kind: 'main', name: 'main' };
    const worker = workers.get(tid);
    if (tid === own || worker?.[1].name === agentName || comm === agentName)
      return { kind: 'agent', name: 'nodeops agent' };
    if (worker) return { kind: 'worker', name: `worker ${worker[0]}${worker[1].name ? ` '${worker[1].name}'` : ''}` };
    if (comm === 'libuv-worker' || unnamed?.has(tid)) return { kind: 'pool', name: 'libuv pool' };
    if (comm === 'WorkerThread') return { kind: 'worker', name: 'worker' };
    if (/V8Worker|^DelayedTask|^SignalInspector/.test(comm) || (unnamed && comm === 'node'))
      return { kind: 'v8', name: 'V8 helpers' };
    return { kind: 'other', name: comm };
  };
}

/**
 * The pool's threads on a Node that does not name them (before 22). The first thread that waits for a static variable is Node's own
 * watch for SIGUSR1; of those made later, workers wait in epoll. What remains is the pool, whose threads are made all at once, and at
 * times the inspector's own thread, which has been asked something.
 */
function unnamedPool(
  { procDir }: Subject,
  threads: readonly KernelThread[],
  others: ReadonlySet<number>,
): ReadonlySet<number> {
  const maps = readMaps(procDir) ?? [];
  const waits = threads
    .filter(({ tid, comm }) => !others.has(tid) && comm === 'node')
    .map(({ tid }) => ({ tid, call: readThreadCall(procDir, tid) }));
  const name = (number: number | undefined) => (number === undefined ? 'running' : syscallName(number));
  const isPlain = ({ call }: (typeof waits)[number]) =>
    call && name(call.number) === 'futex' && isStatic(maps, Number(call.args[0] ?? 0n));
  const watchdog = waits.find(isPlain)?.tid ?? Number.POSITIVE_INFINITY;
  const left = waits
    .filter(({ tid, call }) => tid > watchdog && call && !name(call.number).startsWith('epoll_'))
    .sort((one, other) => one.tid - other.tid);
  const size = poolSize(procDir);
  const groups = left.slice(size - 1).map((last, first) => ({ first, spread: last.tid - left[first]!.tid }));
  const [closest] = groups.sort((one, other) => one.spread - other.spread);
  const together = closest ? left.slice(closest.first, closest.first + size) : [];
  return new Set(left.filter((one) => one.call?.number !== undefined || together.includes(one)).map(({ tid }) => tid));
}

/** As libuv reads it. */
function poolSize(procDir: string): number {
  const variable = (readText(`${procDir}/environ`) ?? '')
    .split('\0')
    .find((one) => one.startsWith('UV_THREADPOOL_SIZE='));
  const size = variable === undefined ? 4 : Number.parseInt(variable.slice('UV_THREADPOOL_SIZE='.length), 10);
  return Math.min(1_024, Math.max(1, size || 1));
}

/** CPU by thread; over the time between two looks where there were two. Busiest first, the main thread before all. */
export function threadUse(before: ThreadLook | null, after: ThreadLook): ThreadUse[] {
  const elapsedMs = before ? after.at - before.at : 0;
  const earlier = new Map(before?.threads.map((thread) => [thread.tid, thread]));
  const groups = new Map<string, ThreadUse>();
  const workers = after.threads.filter(({ kind }) => kind === 'worker').length;
  for (const thread of after.threads) {
    const { kind } = thread;
    const name = kind === 'worker' && workers > workersShown ? 'workers' : thread.name;
    const group = groups.get(`${kind} ${name}`) ?? emptyUse(kind, name, elapsedMs > 0);
    groups.set(`${kind} ${name}`, group);
    const then = earlier.get(thread.tid);
    group.threads++;
    group.cpuSeconds += thread.cpuMs / 1000;
    if (group.percent !== null) group.percent += ((thread.cpuMs - (then?.cpuMs ?? 0)) / elapsedMs) * 100;
    if (group.waitingPercent === null) continue;
    if (thread.waitedMs === null) group.waitingPercent = null;
    else group.waitingPercent += ((thread.waitedMs - (then?.waitedMs ?? 0)) / elapsedMs) * 100;
  }
  const use = ({ percent, cpuSeconds }: ThreadUse) => percent ?? cpuSeconds;
  return [...groups.values()].sort((a, b) => Number(b.kind === 'main') - Number(a.kind === 'main') || use(b) - use(a));
}

function emptyUse(kind: ThreadUse['kind'], name: string, measured: boolean): ThreadUse {
  return { kind, name, threads: 0, cpuSeconds: 0, percent: measured ? 0 : null, waitingPercent: measured ? 0 : null };
}
