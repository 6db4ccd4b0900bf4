import type { CaptureParameters } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { within } from '../ask.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';
import { attachWorkers } from '../workers.ts';
import type { ArtifactSink, CaptureControl } from './capture.ts';
import { CpuSampling } from './cpu-sampling.ts';
import { addHotLines } from './hot-lines.ts';
import { lapse } from './patience.ts';
import { mainTask, workerTask } from './thread-task.ts';

/** Samples kept of all threads together: V8 keeps 30 to 40 bytes of each in the app until the profile is fetched. */
const samplesKept = 2_000_000;
/** Threads sampled at the same time. */
const threadsSampled = 32;
/** How long a worker may take to say which thread of the kernel's it is. */
const taskMs = 2_000;

interface Thread {
  /** `main` or `worker ID` */
  readonly thread: string;
  readonly name: string | null;
  readonly inspector: Pick<Inspector, 'post'>;
  /** The kernel's directory of it. */
  readonly task: string | null;
}

/**
 * A CPU profile as V8 writes it (`.cpuprofile`) of one thread; of several, one document with one for each:
 * `{ "threads": [{ "thread": "main", "name": null, "profile": … }] }`.
 * Throws `bad-request` for a thread that is not there, `stuck` when the main thread does not get to start or stop it.
 */
export async function capturePprofCpu(
  subject: Subject,
  parameters: CaptureParameters<'pprof-cpu'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  if (!/^(?:main|all|\d{1,9})$/.test(parameters.thread))
    throw new NodeopsError(
      'bad-request',
      `'thread' is '${parameters.thread}'; it takes main, all or a worker thread's id`,
    );
  const inspector = await subject.inspector();
  const threads = await chooseThreads(subject, inspector, parameters.thread, control);
  const interval = Math.max(
    parameters.interval,
    Math.ceil((parameters.duration * 1000 * threads.length) / samplesKept),
  );
  if (interval > parameters.interval)
    control.note(
      `sampled every ${interval} µs instead of ${parameters.interval}, so that no more than ${samplesKept} samples wait in the process`,
    );
  const keepOptimized = parameters['no-deopt'] === true;
  const samplings = threads.map(
    ({ inspector, task }) => new CpuSampling(inspector, { intervalMicros: interval, keepOptimized, task }, control),
  );
  try {
    await settled(threads, samplings, control, (sampling) => sampling.start());
    const running = threads.filter((_, index) => samplings[index]!.started);
    control.phase(`sampling ${running.length === 1 ? running[0]!.thread : `${running.length} threads`}`);
    await lapse(control, parameters.duration);
    const first = samplings.findIndex((sampling) => sampling.started);
    if (parameters.thread !== 'all') {
      const profile = await samplings[first]!.stop();
      if (parameters.source) addHotLines(profile, process.platform === 'linux' ? `${subject.procDir}/root` : '');
      return await sink.write(JSON.stringify(profile));
    }
    await sink.write('{"threads":[');
    let separator = '';
    for (const [index, { thread, name }] of threads.entries()) {
      const sampling = samplings[index]!;
      if (!sampling.started) continue;
      const profile = await sampling.stop().catch((error: Error) => {
        if (threads.length === 1) throw error;
        control.note(`${thread} is missing: ${error.message}`);
      });
      if (!profile) continue;
      await sink.write(`${separator}${JSON.stringify({ thread, name, profile })}`);
      separator = ',';
    }
    await sink.write(']}');
  } finally {
    for (const sampling of samplings) sampling.discard();
  }
}

/** Runs it for each; what fails for one of several threads is noted, what fails for all is thrown. */
async function settled(
  threads: readonly Thread[],
  samplings: readonly CpuSampling[],
  control: CaptureControl,
  act: (sampling: CpuSampling) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(samplings.map(act));
  const failures = results.flatMap((result, index) =>
    result.status === 'rejected' ? [{ reason: result.reason as Error, thread: threads[index]!.thread }] : [],
  );
  if (failures.length === results.length || control.abandoned.aborted) {
    if (failures[0]) throw failures[0].reason;
    return;
  }
  for (const { reason, thread } of failures) control.note(`${thread} is missing: ${reason.message}`);
}

async function chooseThreads(
  subject: Subject,
  inspector: Inspector,
  wanted: string,
  control: CaptureControl,
): Promise<Thread[]> {
  const main: Thread = { thread: 'main', name: null, inspector, task: await mainTask(subject) };
  if (wanted === 'main') return [main];
  const workers = await Promise.all(
    (await attachWorkers(inspector, subject.ownThreadId)).map(
      async ({ threadId, name, inspector }): Promise<Thread> => ({
        thread: `worker ${threadId}`,
        name,
        inspector,
        task: await within(taskMs, workerTask(subject, inspector)).catch(() => null),
      }),
    ),
  );
  if (wanted === 'all') {
    const all = [main, ...workers];
    if (all.length > threadsSampled)
      control.note(
        `${all.length - threadsSampled} of ${all.length} threads are left out: ${threadsSampled} are sampled at a time`,
      );
    return all.slice(0, threadsSampled);
  }
  const found = workers.filter(({ thread }) => thread === `worker ${wanted}`);
  if (found.length === 0) {
    const there = workers.map(({ thread }) => thread.slice('worker '.length));
    throw new NodeopsError(
      'bad-request',
      there.length === 0
        ? `there is no worker thread ${wanted}: the process has none`
        : `there is no worker thread ${wanted}; there are ${there.join(', ')}`,
      { detail: { threads: there } },
    );
  }
  return found;
}
