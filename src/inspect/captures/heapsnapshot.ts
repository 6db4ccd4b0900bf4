import type { CaptureParameters } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { evaluateProbe } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';
import type { ArtifactSink, CaptureControl } from './capture.ts';
import { stillNative } from './cpu-sampling.ts';
import { abandonedError, patiently, startMs } from './patience.ts';
import { estimateSnapshot, mib, needsReferences, objections, readRoom, seconds } from './preflight.ts';
import { heapFiguresProbe } from './probes.ts';
import { SnapshotRedactor } from './redact.ts';
import { countReferences } from './references.ts';

/** How long a snapshot may take at most; V8 cannot be told to stop one. */
const snapshotMs = 900_000;
/** Share of the time that V8 spends looking at objects before it writes the first byte, in every version. */
const lookingShare = 0.75;

interface Progress {
  done: number;
  total: number;
}

/**
 * A full snapshot, as V8 writes it. It is refused, with the figures, when it may need more memory than there is or stand
 * still for longer than the liveness probe allows, unless forced. V8 sends what it writes whether or not anybody is ready: it goes
 * to the sink at once, so that nothing piles up between the two threads.
 */
export async function captureHeapSnapshot(
  subject: Subject,
  parameters: CaptureParameters<'heapsnapshot'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  const inspector = await subject.inspector();
  await preflight(subject, inspector, parameters, sink, control);
  const redactor = parameters.redact ? new SnapshotRedactor() : undefined;
  let failure: unknown;
  let written = 0;
  let ending = '';
  const stopChunks = inspector.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }: { chunk: string }) => {
    if (failure || control.abandoned.aborted) return;
    try {
      if (written === 0) control.phase('writing the snapshot');
      sink.writeSync(redactor?.write(chunk) ?? chunk);
      written += chunk.length;
      ending = (ending + chunk).slice(-16);
    } catch (error) {
      failure = error;
    }
  });
  const stopProgress = inspector.on('HeapProfiler.reportHeapSnapshotProgress', ({ done, total }: Progress) => {
    control.phase(`looking at ${total} objects`);
    if (total > 0) control.progress((lookingShare * Math.min(done, total)) / total);
  });
  try {
    await patiently(inspector, control, 'preparing the heap', ['HeapProfiler.enable'], startMs);
    await patiently(
      inspector,
      control,
      'collecting garbage',
      ['HeapProfiler.takeHeapSnapshot', { reportProgress: true }],
      snapshotMs,
    );
    if (failure) throw failure;
    if (control.abandoned.aborted) throw abandonedError();
    if (redactor) {
      sink.writeSync(redactor.end());
      control.note(
        'redacted: contents of strings are masked; names of classes, functions, files and plain properties are not',
      );
    }
    if (!/\]\s*\}\s*$/.test(ending))
      throw new NodeopsError('failed', `the snapshot ended in the middle, after ${mib(written)}`);
  } catch (error) {
    throw stillNative(error, 'write the snapshot');
  } finally {
    stopChunks();
    stopProgress();
    inspector.post('HeapProfiler.disable', {}, { timeoutMs: snapshotMs }).catch(() => {});
  }
}

async function preflight(
  subject: Subject,
  inspector: Inspector,
  { force, 'probe-budget': budgetMs }: CaptureParameters<'heapsnapshot'>,
  sink: ArtifactSink,
  control: CaptureControl,
): Promise<void> {
  control.phase('estimating what the snapshot needs');
  const figures = await evaluateProbe(inspector, heapFiguresProbe, {}).catch((error) => {
    throw stillNative(error, 'show its heap');
  });
  const inside = subject.ownThreadId !== undefined;
  const references = needsReferences(figures, inside) ? await countReferences(subject.procDir) : null;
  const [estimate, room] = [estimateSnapshot(figures, references, inside), await readRoom(subject)];
  const against = objections(estimate, room, budgetMs, sink.memoryPerByte);
  if (against.length === 0 || force) {
    control.note(
      `estimated before: up to ${estimate.objects} objects, ${mib(estimate.memoryBytes)} of memory, ${seconds(estimate.pauseMs)} of standstill`,
    );
    if (against.length > 0) control.note(`taken by force, although ${against.join(', and ')}`);
    return;
  }
  throw new NodeopsError('refused', `a heap snapshot may kill the process: ${against.join(', and ')}`, {
    hint: 'use `pprof-heap`, which costs next to nothing, or --force to take it all the same',
    detail: { ...figures, ...estimate, ...room, probeBudgetMs: budgetMs ?? null },
  });
}
