import { readStatus } from '../../proc/status.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { operations } from '../../protocol/operations.ts';
import type { GcReply } from '../../protocol/replies.ts';
import { evaluateProbe, type LoadModule } from '../evaluate.ts';
import type { LiveHeap } from '../readings/memstats.ts';
import type { Reading, Subject } from '../subject.ts';

const gcDeadlineMs = operations.gc.deadlineMs;

interface HeapUsage {
  usedSize: number;
  totalSize: number;
}

/** Runs in the target. See evaluate.ts for its limits. */
function outsideProbe(_: null, load: LoadModule): number {
  const { external, arrayBuffers } = (load('process') as NodeJS.Process).memoryUsage();
  // shared buffers are among the second only
  return Math.max(external, arrayBuffers);
}

const rss = async ({ procDir }: Subject): Promise<number | null> => (await readStatus(procDir))?.rssBytes ?? null;

/**
 * Runs a full collection and blocks until it is done.
 * Throws `stuck` when the main thread does not get to it within `gcDeadlineMs`; it is collected later then.
 */
export async function gc(subject: Subject): Promise<Reading<GcReply>> {
  const inspector = await subject.inspector();
  const options = { timeoutMs: gcDeadlineMs };
  const answered = async <T>(answer: Promise<T>): Promise<{ value: T; at: number }> => ({
    value: await answer,
    at: performance.now(),
  });
  try {
    const rssBeforeBytes = await rss(subject);
    const externalBeforeBytes = await evaluateProbe(inspector, outsideProbe, null);
    // sent together, so that nothing runs between the two; the figures afterwards have to wait, for V8 collects in a task
    const [before, collected] = await Promise.all([
      answered(inspector.post<HeapUsage>('Runtime.getHeapUsage', {}, options)),
      answered(inspector.post('HeapProfiler.collectGarbage', {}, options)),
    ]);
    const after = await inspector.post<HeapUsage>('Runtime.getHeapUsage', {}, options);
    const externalAfterBytes = await evaluateProbe(inspector, outsideProbe, null);
    const live: LiveHeap = { bytes: after.usedSize, at: new Date().toISOString() };
    subject.lastKnown.set('live heap', live);
    return {
      data: {
        ...{ externalBeforeBytes, externalAfterBytes, rssBeforeBytes, rssAfterBytes: await rss(subject) },
        freedBytes: Math.max(0, before.value.usedSize - after.usedSize),
        usedBeforeBytes: before.value.usedSize,
        usedAfterBytes: after.usedSize,
        totalBeforeBytes: before.value.totalSize,
        totalAfterBytes: after.totalSize,
        pauseMs: collected.at - before.at,
      },
      stuck: null,
      notes: [],
    };
  } catch (error) {
    if (!(error instanceof NodeopsError) || error.code !== 'stuck') throw error;
    throw new NodeopsError(
      'stuck',
      `the main thread did not let go within ${gcDeadlineMs / 1000} s: V8 collects only when the event loop turns`,
      { cause: error, hint: 'the collection runs as soon as it does; `stack` shows what it is in' },
    );
  }
}
