/** What the main thread ran while it stalled: the innermost frames, or what the kernel shows of it. Loaded with the first stall. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../../inspect/ask.ts';
import { captureFrames, toFrame } from '../../inspect/frames.ts';
import { readNativeEvidence } from '../../inspect/kernel/native.ts';
import { openLocal } from '../../inspect/local.ts';
import { parseStat } from '../../protocol/proc/status.ts';
import type { Frame } from '../../protocol/replies.ts';

export interface StallStack {
  readonly frames: Frame[] | null;
  readonly evidence: string | null;
}

const framesKept = 30;
/** JavaScript answers within milliseconds; whoever does not is in native code. */
const patienceMs = 250;

/** `since`: Date.now() when the stall began. Never throws. */
export async function readStallStack(since: number): Promise<StallStack> {
  const frames = isWaiting() ? null : await readFrames();
  if (frames) return { frames, evidence: null };
  const subject = { pid: process.pid, procDir: '/proc/self', lastKnown: new Map(), ownThreadId: undefined };
  const inspector = () => Promise.reject(new Error('not asked'));
  const evidence = await readNativeEvidence({ ...subject, inspector }, since).catch(() => null);
  return { frames: null, evidence: evidence?.summary ?? null };
}

async function readFrames(): Promise<Frame[] | null> {
  try {
    const inspector = openLocal();
    try {
      const frames = await within(patienceMs, captureFrames(inspector));
      return frames.length > 0 ? frames.slice(0, framesKept).map(toFrame) : null;
    } finally {
      // what is under way is served in order: the session is gone before the app can end and be seen with one
      await Promise.race([inspector.close(), sleep(patienceMs)]);
    }
  } catch {
    return null;
  }
}

/**
 * Whether the main thread sleeps in the kernel, in a synchronous child process, file or lock: there no JavaScript can be
 * interrupted, and a session that waited for it would be seen when the app ends.
 */
function isWaiting(): boolean {
  try {
    return parseStat(readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8')).state !== 'R';
  } catch {
    return false;
  }
}
