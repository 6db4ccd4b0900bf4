/** A Go process's profile or trace, by gops' bytes into a file: Go's own pprof and execution trace, as they come. */
import type { JobInfo } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { explained } from '../client/gops-answers.ts';
import type { Io } from '../io.ts';
import { type TargetName, targetName } from '../render/target-name.ts';
import type { Target } from '../target.ts';
import { gopsAnswer } from '../transport/gops/ask.ts';
import type { CaptureRequest, Collected, SavedFile } from './capture-request.ts';
import { artifactStem } from './filename.ts';
import { captureLimits } from './limits.ts';
import { type FileName, PartFile } from './part-file.ts';
import { type Progress, stateText } from './progress.ts';
import { type Sink, StreamSink } from './sink.ts';

interface GoCapture {
  readonly extension: string;
  /** gops' agents fix it. */
  readonly durationMs: number;
}
const goCaptures: Readonly<Record<'pprof-cpu' | 'pprof-heap' | 'trace', GoCapture>> = {
  'pprof-cpu': { extension: '.cpu.pb.gz', durationMs: 30_000 },
  'pprof-heap': { extension: '.heap.pb.gz', durationMs: 0 },
  trace: { extension: '.trace', durationMs: 5_000 },
};
/** What may come on top of the duration. */
const graceMs = 60_000;

/**
 * Captures and saves. Throws `unsupported` for what Go processes do not have, `failed` when nothing came, `interrupted`; nothing
 * half-written stays under a final name.
 */
export async function collectGo(
  target: Target,
  request: CaptureRequest,
  io: Io,
  progress: Progress,
): Promise<Collected> {
  const { capture, destination } = request;
  const { name } = target.endpoint;
  if (capture !== 'pprof-cpu' && capture !== 'pprof-heap' && capture !== 'trace')
    throw new NodeopsError('unsupported', `${name} is a Go process, which has no ${capture}`, {
      hint: 'of a Go process there are pprof-cpu, pprof-heap and trace',
    });
  const { extension, durationMs } = goCaptures[capture];
  const who = targetName(target);
  const part = destination.kind === 'stdout' ? undefined : await PartFile.create(fileName(request, who, extension, io));
  const sink: Sink = part ?? new StreamSink(io.stdout);
  const startedAt = io.now();
  const began = performance.now();
  const info = (state: JobInfo['state']): JobInfo => ({
    ...{ id: '', capture, parameters: {}, state, startedAt: startedAt.toISOString() },
    elapsedMs: performance.now() - began,
    remainingMs: Math.max(0, durationMs - (performance.now() - began)),
    ...{ phase: 'sampling', progress: null, stoppedEarly: false, bytes: sink.bytes, sha256: null },
    ...{ resumable: true, path: null, error: null, notes: [] },
  });
  const ticking = setInterval(() => progress.update(name, stateText(info('running'), sink.bytes)), 1_000);
  try {
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(durationMs + graceMs)]);
    for await (const chunk of gopsAnswer(target.endpoint, { command: capture }, signal)) await sink.write(chunk);
    if (sink.bytes === 0)
      throw new NodeopsError('failed', `the gops agent of ${name} sent nothing`, {
        hint: 'a profile or trace of that process may be running already',
      });
    const profile = part && capture !== 'trace' ? await parse(await part.content()) : undefined;
    const sha256 = sink.sha256();
    const overwrite = destination.kind === 'file' && destination.overwrite;
    const file: SavedFile = { path: (await part?.keep({ overwrite })) ?? null, bytes: sink.bytes, sha256 };
    const job = { ...info('finished'), remainingMs: 0, sha256 };
    return { name: who, job, files: [file], profile, notes: notesOn(request, durationMs) };
  } catch (error) {
    if (io.signal.aborted && !(error instanceof NodeopsError))
      throw new NodeopsError(
        'interrupted',
        `abandoned: gops has no way to stop the ${capture} of ${name}, which ends by itself`,
      );
    throw explained(error, name, capture, io);
  } finally {
    clearInterval(ticking);
    await part?.discard();
  }
}

async function parse(bytes: Uint8Array) {
  const { fromPprof } = await import('../../formats/from-pprof.ts');
  return fromPprof(bytes, { limitBytes: captureLimits.profileBytes });
}

function fileName({ destination }: CaptureRequest, who: TargetName, extension: string, io: Io): FileName {
  if (destination.kind === 'file') return destination.name;
  if (destination.kind === 'stdout') throw new TypeError('stdout has no file name');
  const stem = artifactStem(who, io.now());
  return {
    directory: destination.directory,
    stem: who.pod === null ? stem.replace(/^node\./, 'go.') : stem,
    extension,
  };
}

function notesOn({ parameters, capture, format }: CaptureRequest, durationMs: number): string[] {
  const notes: string[] = [];
  if (durationMs > 0 && typeof parameters.duration === 'number' && parameters.duration !== durationMs)
    notes.push(`a Go process's ${capture} takes ${durationMs / 1_000} s, whatever --duration says`);
  if (capture !== 'trace' && format === 'v8') notes.push("a Go process's profile is pprof, whatever --format says");
  return notes;
}
