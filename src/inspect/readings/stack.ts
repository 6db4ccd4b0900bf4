import type { Frame, Pending, StackReply, ThreadStack } from '../../protocol/replies.ts';
import { askMainThread, within } from '../ask.ts';
import { type CallFrame, captureFrames, framesKept, toFrame } from '../frames.ts';
import type { Inspector } from '../inspector.ts';
import { readMemoryStack } from '../native-frames/memory-stack.ts';
import { isCompiledInMemory, sourceMapUrls } from '../scripts.ts';
import { SourceMaps } from '../source-maps.ts';
import { SourceText } from '../source-text.ts';
import type { Readings, Subject } from '../subject.ts';
import { attachWorkers, type WorkerLine, workersAsked } from '../workers.ts';
import { readPending } from './pending.ts';
import { poolWork } from './unlisted.ts';

/** A worker that is silent for so long is in native code; the others have answered meanwhile, also where CPU is short. */
const workerSilenceMs = 750;

interface Thread {
  readonly thread: string;
  readonly name: string | null;
  /** null when it did not answer */
  readonly frames: CallFrame[] | null;
}
interface Snapshot {
  readonly threads: Thread[];
  readonly pending: Pending[] | null;
  readonly mapUrls: Map<string, string>;
}

/** `stack`: what every thread executes at this moment, without pausing any. */
export const readStack: Readings['stack'] = async (subject) => {
  const { value, stuck } = await askMainThread(subject, (inspector) => takeSnapshot(subject, inspector));
  if (stuck) {
    const memory = readMemoryStack(subject.procDir);
    const frames = await originals(rootOf(subject), memory.frames ?? []);
    const main: ThreadStack = { thread: 'main', name: null, state: 'native', frames };
    const workers = 'stacks of worker threads can only be read through the main thread, which does not answer';
    return { data: { threads: [main], pending: null }, stuck, notes: [...memory.notes, workers] };
  }
  const data = await describe(subject, value);
  return { data, stuck: null, notes: notesOn(value) };
};

async function takeSnapshot(subject: Subject, inspector: Inspector): Promise<Snapshot> {
  const frames = await captureFrames(inspector);
  const ids = new Set(frames.filter(({ url }) => isCompiledInMemory(url)).map(({ scriptId }) => scriptId));
  const mapUrls = await sourceMapUrls(inspector, ids);
  const pending = frames.length === 0 ? await readWaiting(subject, inspector) : null;
  const lines = await attachWorkers(inspector, subject.ownThreadId);
  const workers = await Promise.all(lines.slice(0, workersAsked).map(askWorker));
  return { threads: [{ thread: 'main', name: null, frames }, ...workers], pending, mapUrls };
}

/** What Node lists, and work of libuv's pool that it does not. */
async function readWaiting(subject: Subject, inspector: Inspector): Promise<Pending[]> {
  const work = poolWork(subject);
  const details = work.flatMap((wait) => (wait.kind === 'other' && wait.name !== null ? [wait.name] : []));
  const pool = work.length > 0 ? [{ type: 'ThreadPoolWork', count: work.length, details }] : [];
  return [...(await readPending(inspector)), ...pool];
}

async function askWorker({ threadId, name, inspector }: WorkerLine): Promise<Thread> {
  const frames = await within(workerSilenceMs, captureFrames(inspector)).catch(() => null);
  return { thread: `worker ${threadId}`, name, frames };
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
      threads.map(async ({ thread, name, frames }): Promise<ThreadStack> => {
        const shown = frames?.find(({ url }) => url.startsWith('/') || url.startsWith('file:'));
        return {
          thread,
          name,
          state: frames === null ? 'native' : frames.length > 0 ? 'running' : 'idle',
          frames: await Promise.all((frames ?? []).map((call) => original(call, thread === 'main', shown))),
        };
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
    if (frames && frames.length >= framesKept - 1)
      notes.push(`${thread}: the innermost ${frames.length} frames are shown; V8 keeps no more`);
  return notes;
}
