import { lookAtActivity } from '../../proc/busy.ts';
import { mainThreadOf, readThread } from '../../proc/threads.ts';
import type { Frame, Pending, StackReply, ThreadStack } from '../../protocol/replies.ts';
import { type Answer, askMainThread, silenceMs, within } from '../ask.ts';
import { type CallFrame, captureFrames, framesKept, toFrame } from '../frames.ts';
import type { Inspector } from '../inspector.ts';
import { type MemoryStack, readMemoryStack } from '../native-frames/memory-stack.ts';
import { isCompiledInMemory, knownScripts, sourceMapUrls } from '../scripts.ts';
import { SourceMaps } from '../source-maps.ts';
import { SourceText } from '../source-text.ts';
import type { Readings, Subject } from '../subject.ts';
import { learnWorkers, lookAtThreads, workerThread } from '../threads.ts';
import { attachWorkers, type WorkerLine, workersAsked } from '../workers.ts';
import { readMainStack } from './main-stack.ts';
import { readPending } from './pending.ts';
import { poolWork } from './unlisted.ts';

/** A worker that is silent for so long is in native code; the others have answered meanwhile, also where CPU is short. */
const workerSilenceMs = 750;
/** A main thread that is silent for so long is looked for in its memory, while its answer is still waited for. */
const memoryAfterMs = 250;

interface Thread extends Omit<ThreadStack, 'frames'> {
  readonly frames: readonly CallFrame[];
  /** Frames that were read from memory instead. */
  readonly memory: readonly Frame[] | null;
}
interface Snapshot {
  readonly threads: Thread[];
  readonly pending: Pending[] | null;
  readonly mapUrls: Map<string, string>;
  readonly notes: readonly string[];
}

/** `stack`: what every thread executes at this moment, without pausing any. */
export const readStack: Readings['stack'] = async (subject) => {
  const { answer, memory } = await askOrRead(subject);
  if (memory) {
    const frames = await originals(rootOf(subject), memory.frames ?? []);
    const main: ThreadStack = { thread: 'main', name: null, state: 'native', frames };
    const workers = 'stacks of worker threads can only be read through the main thread, which does not answer';
    const notes = hasWorkers(subject) ? [...memory.notes, workers] : memory.notes;
    return { data: { threads: [main], pending: null }, stuck: answer.stuck, notes };
  }
  const data = await describe(subject, answer.value);
  return { data, stuck: null, notes: [...answer.value.notes, ...notesOn(answer.value)] };
};

type Asked =
  | { answer: Extract<Answer<Snapshot>, { stuck: null }>; memory: null }
  | { answer: Extract<Answer<Snapshot>, { value: null }>; memory: MemoryStack };

/** Memory tells soon what a main thread sleeps in; only other threads, and one that runs, are worth the whole wait. */
async function askOrRead(subject: Subject): Promise<Asked> {
  const main = mainThreadOf(subject.procDir);
  let memory: MemoryStack | undefined;
  const answer = await askMainThread(subject, (inspector) => takeSnapshot(subject, inspector), silenceMs, {
    afterMs: memoryAfterMs,
    isEnough: () => {
      // one that runs may be in JavaScript again at once, and V8 interrupts Atomics.wait: the machine is busy
      if (readThread(`${subject.procDir}/task/${main}`, main)?.state === 'R') return false;
      memory = readMemoryStack(subject.procDir);
      const innermost = memory.frames?.[0]?.function;
      return innermost !== undefined && !/^(?:Atomics\.)?wait$/.test(innermost) && !hasWorkers(subject);
    },
  });
  if (!answer.stuck) return { answer, memory: null };
  return { answer, memory: memory?.frames ? memory : readMemoryStack(subject.procDir) };
}

function hasWorkers(subject: Subject): boolean {
  return lookAtThreads(subject)?.threads.some(({ kind }) => kind === 'worker') ?? true;
}

async function takeSnapshot(subject: Subject, inspector: Inspector): Promise<Snapshot> {
  const { notes, ...main } = await readMainStack(subject, inspector);
  const { frames } = main;
  const ids = new Set(frames.filter(({ url }) => isCompiledInMemory(url)).map(({ scriptId }) => scriptId));
  const mapUrls = await sourceMapUrls(inspector, ids, knownScripts(subject));
  const pending = frames.length === 0 && main.memory === null ? await readWaiting(subject, inspector) : null;
  const lines = (await attachWorkers(inspector, subject.ownThreadId)).slice(0, workersAsked);
  await learnWorkers(subject, lines);
  const workers = await Promise.all(lines.map((line) => askWorker(subject, line)));
  return { threads: [{ thread: 'main', name: null, ...main }, ...workers], pending, mapUrls, notes };
}

/** What Node lists, and work of libuv's pool that it does not. */
async function readWaiting(subject: Subject, inspector: Inspector): Promise<Pending[]> {
  const work = poolWork(subject);
  const details = work.flatMap((wait) => (wait.kind === 'other' && wait.name !== null ? [wait.name] : []));
  const pool = work.length > 0 ? [{ type: 'ThreadPoolWork', count: work.length, details }] : [];
  return [...(await readPending(subject, inspector)), ...pool];
}

async function askWorker(subject: Subject, { threadId, name, inspector }: WorkerLine): Promise<Thread> {
  const tid = workerThread(subject, threadId);
  const activity = tid === undefined ? null : await lookAtActivity(subject.procDir, tid);
  const frames = await within(workerSilenceMs, captureFrames(inspector)).catch(() => null);
  const thread = { thread: `worker ${threadId}`, name, frames: frames ?? [], memory: null };
  if (frames === null) return { ...thread, state: 'native' };
  const share = activity ? { busyShare: activity.busy / activity.looks } : {};
  if (frames.length === 0) return { ...thread, ...share, state: 'idle' };
  return activity?.asleepIn
    ? { ...thread, ...share, state: 'waiting', waitsIn: activity.asleepIn }
    : { ...thread, ...share, state: 'running' };
}

/** Frames of memory name their script by path: its map is found beside it. */
async function originals(root: string, frames: readonly Frame[]): Promise<Frame[]> {
  const maps = new SourceMaps(root);
  const shown = frames.find(({ file, isStart }) => file.startsWith('/') && !isStart);
  const code = shown && new SourceText(root).at(shown.file, shown.line, shown.column);
  return Promise.all(
    frames.map(async (frame) => ({ ...(await maps.original(frame)), ...(frame === shown && code ? { code } : {}) })),
  );
}

async function describe(subject: Subject, { threads, pending, mapUrls }: Snapshot): Promise<StackReply> {
  const root = rootOf(subject);
  const maps = new SourceMaps(root);
  const texts = new SourceText(root);
  const original = async (call: CallFrame, main: boolean, shown: CallFrame | undefined): Promise<Frame> => {
    const frame = toFrame(call);
    const code = call === shown ? texts.at(frame.file, frame.line, frame.column) : undefined;
    return {
      ...(await maps.original(frame, main ? mapUrls.get(call.scriptId) : undefined)),
      ...(code === undefined ? {} : { code }),
    };
  };
  return {
    threads: await Promise.all(
      threads.map(async ({ frames, memory, ...thread }): Promise<ThreadStack> => {
        if (memory) return { ...thread, frames: await originals(root, memory) };
        const shown = frames.find(({ url }) => url.startsWith('/') || url.startsWith('file:'));
        const isMain = thread.thread === 'main';
        return { ...thread, frames: await Promise.all(frames.map((call) => original(call, isMain, shown))) };
      }),
    ),
    pending,
  };
}

function rootOf({ procDir }: Subject): string {
  return process.platform === 'linux' ? `${procDir}/root` : '';
}

function notesOn({ threads }: Snapshot): string[] {
  const notes: string[] = [];
  for (const { thread, frames } of threads)
    if (frames.length >= framesKept - 1)
      notes.push(`${thread}: the innermost ${frames.length} frames are shown; V8 keeps no more`);
  return notes;
}
