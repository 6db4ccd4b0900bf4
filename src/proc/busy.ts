/** Whether a thread works or waits, by a few looks at what the kernel says of it: one look may meet the odd moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import { syscallName } from './syscalls.ts';
import { readThread, readThreadCall } from './threads.ts';

export interface ThreadActivity {
  readonly looks: number;
  /** Looks that found it on a CPU, ready for one, or in a call that is not a wait for events. */
  readonly busy: number;
  /** The call that every look found it asleep in; null where there is none, or it waits for events as a loop does. */
  readonly asleepIn: string | null;
}

const looks = 5;
const betweenMs = 4;

/** Null where there is no /proc. */
export async function lookAtActivity(procDir: string, tid: number): Promise<ThreadActivity | null> {
  const seen: (string | undefined)[] = [];
  for (let look = 0; look < looks; look++) {
    if (look > 0) await sleep(betweenMs);
    const thread = readThread(`${procDir}/task/${tid}`, tid);
    if (!thread) return null;
    seen.push(thread.state === 'R' ? 'running' : callOf(procDir, tid));
  }
  const [first] = seen;
  const isAsleep = first !== undefined && first !== 'running' && seen.every((call) => call === first);
  return { looks, busy: seen.filter((call) => call !== undefined).length, asleepIn: isAsleep ? first : null };
}

/** Undefined in a wait for events, and where the call may not be seen. */
function callOf(procDir: string, tid: number): string | undefined {
  const call = readThreadCall(procDir, tid);
  if (!call) return undefined;
  if (call.number === undefined) return 'running';
  const name = syscallName(call.number);
  return name.startsWith('epoll_') ? undefined : name;
}
