/** What is asked of a process that is short of memory: little, and with deadlines. Loaded when it is needed. */
import { captureRunners } from '../../inspect/captures/runners.ts';
import { readings } from '../../inspect/readings/readings.ts';
import type { CrashRecord } from '../../protocol/crash.ts';
import { takeCapture } from '../recorder/take-capture.ts';
import { ownSubject } from '../recorder/unseen-session.ts';

/** Heap spaces and stacks, as far as the process answers. Never throws. */
export async function readNow(): Promise<Pick<CrashRecord, 'memory' | 'stacks'>> {
  const { subject, close } = ownSubject();
  try {
    const memory = await readings.memstats(subject, { explain: undefined }).catch(() => null);
    const stacks = await readings.stack(subject, {}).catch(() => null);
    return {
      memory: memory && { heap: memory.data.heap, spaces: memory.data.spaces },
      stacks: stacks?.data.threads ?? null,
    };
  } finally {
    close();
  }
}

/** Node's diagnostic report, secrets masked; null where the process does not answer, or a worker thread of it is stuck. */
export async function takeReport(): Promise<string | null> {
  return takeCapture((subject, sink, control) => captureRunners.report(subject, {}, sink, control)).text.catch(
    () => null,
  );
}

/** Samples what is allocated and stays, until `finish` (the profile, or null where there is none) or `abandon`. */
export async function sampleHeap(limitMs: number): Promise<{ finish(): Promise<string | null>; abandon(): void }> {
  const run = takeCapture((subject, sink, control) =>
    captureRunners['pprof-heap'](
      subject,
      { duration: limitMs, interval: 256 * 1024, alloc: false, external: false },
      sink,
      control,
    ),
  );
  return {
    finish() {
      run.stop();
      return run.text.catch(() => null);
    },
    abandon: () => run.abandon(),
  };
}
