/** What the main thread runs: where V8 interrupted it, and where it is when V8 cannot tell. */
import { setTimeout as sleep } from 'node:timers/promises';
import { lookAtActivity } from '../../proc/busy.ts';
import { mainThreadOf } from '../../proc/threads.ts';
import type { Frame, ThreadStack } from '../../protocol/replies.ts';
import { filePath } from '../../source-maps/frames.ts';
import { type CallFrame, captureFrames } from '../frames.ts';
import type { Inspector } from '../inspector.ts';
import { readMemoryStack } from '../native-frames/memory-stack.ts';
import type { Subject } from '../subject.ts';

export interface MainStack extends Pick<ThreadStack, 'state' | 'waitsIn' | 'busyShare'> {
  /** As V8 gave them; null where `memory` was read. */
  readonly frames: CallFrame[];
  readonly memory: Frame[] | null;
  readonly notes: readonly string[];
}

/** Of all looks: below, a thread that has no JavaScript waits. */
const busyShare = 0.4;
/** Looks for code of the app's that runs between callbacks; each interrupts for less than a millisecond. */
const rounds = 30;
const roundsMs = 400;
const roundMs = 2;
/** A thread that goes on whenever it is read most likely runs JavaScript, and V8 knows better. */
const memoryRounds = 3;
const memoryAttempts = 5;

/**
 * V8 interrupts where JavaScript next enters or repeats something, not where the thread is. So where the kernel says that the thread works, and V8
 * shows nothing of the app's, it is looked for: in memory, where it is in native code; else by further interrupts.
 */
export async function readMainStack({ procDir }: Subject, inspector: Inspector): Promise<MainStack> {
  const activity = await lookAtActivity(procDir, mainThreadOf(procDir));
  const frames = await captureFrames(inspector);
  const share = activity ? { busyShare: activity.busy / activity.looks } : {};
  const answer = { ...share, frames, memory: null, notes: [] };
  if (frames.some(isOfApp) && isOfApp(frames[0]!))
    return activity?.asleepIn
      ? { ...answer, state: 'waiting', waitsIn: activity.asleepIn }
      : { ...answer, state: 'running' };
  // held, such as by --inspect-wait
  if (frames.length === 0 && activity?.asleepIn) return { ...answer, state: 'waiting', waitsIn: activity.asleepIn };
  if (activity === null || activity.busy < activity.looks * busyShare)
    return { ...answer, state: frames.length > 0 ? 'running' : 'idle' };
  const until = performance.now() + roundsMs;
  for (let round = 0; round < rounds && performance.now() < until; round++) {
    if (round > 0) await sleep(roundMs);
    if (round < memoryRounds) {
      const { frames: memory, notes } = readMemoryStack(procDir, memoryAttempts);
      if (memory?.some(({ native }) => !native)) return { ...answer, state: 'native', frames: [], memory, notes };
    } else if (frames.some(isOfApp)) break;
    if (frames.some(isOfApp)) continue;
    const next = await captureFrames(inspector);
    if (next.some(isOfApp)) return { ...answer, state: frames.length > 0 ? 'running' : 'between', frames: next };
  }
  return { ...answer, state: frames.length > 0 ? 'running' : 'between' };
}

/** Not of Node itself. */
function isOfApp({ url }: CallFrame): boolean {
  return !filePath(url).startsWith('node:') && url !== '';
}
