/** What the main thread ran while it stalled: the innermost frames, or what the kernel shows of it. Loaded with the first stall. */
import { within } from '../../inspect/ask.ts';
import { captureFrames, toFrame } from '../../inspect/frames.ts';
import { readMemoryStack } from '../../inspect/native-frames/memory-stack.ts';
import { readStat } from '../../proc/identity.ts';
import { readNativeEvidence } from '../../proc/native.ts';
import type { Frame } from '../../protocol/replies.ts';
import { openUnseen } from './unseen-session.ts';

export interface StallStack {
  readonly frames: Frame[] | null;
  /** What the kernel shows of it, where JavaScript could not be interrupted. */
  readonly evidence: string | null;
}

const framesKept = 30;
/** JavaScript answers within milliseconds; whoever does not is in native code. */
const patienceMs = 250;

/** `since`: Date.now() when the stall began. Never throws. */
export async function readStallStack(since: number): Promise<StallStack> {
  const frames = isWaiting() ? null : await readFrames();
  if (frames) return { frames, evidence: null };
  const evidence = await readNativeEvidence({ procDir: '/proc/self', lastKnown: new Map() }, since).catch(() => null);
  const read = readMemoryStack('/proc/self').frames;
  return { frames: read?.slice(0, framesKept) ?? null, evidence: evidence?.summary ?? null };
}

async function readFrames(): Promise<Frame[] | null> {
  try {
    const inspector = openUnseen();
    try {
      const frames = await within(patienceMs, captureFrames(inspector));
      return frames.length > 0 ? frames.slice(0, framesKept).map(toFrame) : null;
    } finally {
      await inspector.close();
    }
  } catch {
    return null;
  }
}

/** Whether the main thread sleeps in the kernel, in a synchronous child process, file or lock: there no JavaScript can be interrupted. */
function isWaiting(): boolean {
  const stat = readStat(`/proc/self/task/${process.pid}`);
  return stat !== undefined && stat.state !== 'R';
}
