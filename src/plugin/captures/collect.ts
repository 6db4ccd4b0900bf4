/** One capture of one process, from the question who it is to the file under its name. */
import type { Profile } from '../../formats/model.ts';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { goOf } from '../client/gops-answers.ts';
import type { Io } from '../io.ts';
import { type TargetName, targetName } from '../render/target-name.ts';
import type { Target } from '../target.ts';
import type { CaptureRequest, Collected, SavedFile } from './capture-request.ts';
import type { Converted, Origin } from './conversion.ts';
import { artifactStem } from './filename.ts';
import { extensionOf } from './formats.ts';
import { Jobs } from './jobs.ts';
import { captureLimits } from './limits.ts';
import { type FileName, PartFile } from './part-file.ts';
import { type Progress, stateText } from './progress.ts';
import { removeJob, runJob, withKept } from './run-job.ts';
import { MemorySink, type Sink, StreamSink, Tally } from './sink.ts';

export type { CaptureRequest, Collected, SavedFile } from './capture-request.ts';

/** Captures and saves. Throws what went wrong; nothing half-written stays under a final name. */
export async function collect(target: Target, request: CaptureRequest, io: Io, progress: Progress): Promise<Collected> {
  const limits = request.limits ?? captureLimits;
  const jobs = new Jobs(target, limits);
  let part: PartFile | undefined;
  let shown = target.endpoint.name;
  try {
    const who = await jobs.identity(io.signal, request.timeoutMs);
    const name = targetName(target, who);
    const { nodeVersion } = who.data;
    shown = address(name);
    const file = fileName(request, name, io);
    part = file && (await PartFile.create(file));
    const sink: Sink = part ?? (request.convert ? new MemorySink(limits.profileBytes) : new StreamSink(io.stdout));
    const node = nodeOf(target, request);
    const { maxBytes = limits.artifactBytes } = request;
    const parameters = { ...request.parameters, ...(await request.parametersOf?.(name)) };
    const job = await runJob(jobs, { ...request, parameters, maxBytes }, sink, {
      limits,
      stop: io.signal,
      abandon: io.abandon ?? io.signal,
      onState: (info, received) => progress.update(shown, stateText(info, received)),
      say: (text) => progress.say(text),
      beforeBytes: async (bytes) => part?.reserve(bytes),
    });
    try {
      const notes = [...job.notes];
      const { files, profile } = await save(
        { target: name, nodeVersion, node: await node, job },
        sink,
        part,
        request,
        io,
        notes,
      );
      await removeJob(jobs, job.id, limits);
      return { name, job, files, profile, notes };
    } catch (error) {
      throw withKept(asNodeopsError(error), job, jobs);
    }
  } catch (error) {
    if (goOf(error) !== undefined) return await (await import('./gops.ts')).collectGo(target, request, io, progress);
    if (io.signal.aborted && !(error instanceof NodeopsError))
      throw new NodeopsError(
        'interrupted',
        `interrupted before the ${request.capture} of ${target.endpoint.name} began`,
      );
    throw error;
  } finally {
    progress.end(shown);
    await part?.discard();
    jobs.close();
  }
}

async function nodeOf({ endpoint: { pod } }: Target, request: CaptureRequest): Promise<string | undefined> {
  if (!pod || !request.convert) return undefined;
  return pod.node ?? request.nodeOf?.(pod).catch(() => undefined);
}

/** What progress calls a process; `container/pid` tells those of one pod apart. */
function address({ pod, address, container, pid }: TargetName): string {
  const process = container === null ? String(pid) : `${container}/${pid}`;
  if (pod !== null) return `pod/${pod} ${process}`;
  return address!.startsWith('process ') ? address! : `${address} ${process}`;
}

function fileName(request: CaptureRequest, name: TargetName, io: Io): FileName | undefined {
  const { destination, capture, format } = request;
  if (destination.kind === 'stdout') return undefined;
  if (destination.kind === 'file') return destination.name;
  const { directory } = destination;
  return { directory, stem: artifactStem(name, io.now()), extension: extensionOf(capture, format) };
}

interface Saved {
  readonly files: SavedFile[];
  readonly profile: Profile | undefined;
}

async function save(
  origin: Origin,
  sink: Sink,
  part: PartFile | undefined,
  request: CaptureRequest,
  io: Io,
  notes: string[],
): Promise<Saved> {
  const { destination, convert } = request;
  const overwrite = destination.kind === 'file' && destination.overwrite;
  if (!convert) {
    const path = part ? await part.keep({ overwrite }) : null;
    return { files: [{ path, bytes: sink.bytes, sha256: sink.sha256() }], profile: undefined };
  }
  const bytes = part ? await part.content() : (sink as MemorySink).content();
  let converted: Converted;
  try {
    converted = await convert(bytes, origin);
  } catch (error) {
    if (!part) throw error;
    // what was captured is worth more than the form it was asked in
    const as = { ...part.name, extension: extensionOf(request.capture, 'v8') };
    const path = await part.keep({ as });
    notes.push(`saved as it came, since it could not be converted: ${asNodeopsError(error).message}`);
    return { files: [{ path, bytes: sink.bytes, sha256: sink.sha256() }], profile: undefined };
  }
  const { pieces, profile } = converted;
  if (!part) {
    if (pieces.length > 1)
      throw new NodeopsError('usage', `there are ${pieces.length} threads, and stdout takes one profile`, {
        hint: 'use --format pprof, which holds all of them',
      });
    const out = new StreamSink(io.stdout);
    await out.write(pieces[0]!.bytes);
    return { files: [{ path: null, bytes: out.bytes, sha256: out.sha256() }], profile };
  }
  const files: SavedFile[] = [];
  for (const [i, piece] of pieces.entries()) {
    const as = { ...part.name, stem: part.name.stem + piece.suffix };
    const file = i === 0 ? part : await PartFile.create(as);
    try {
      await file.replace(piece.bytes);
      files.push({ bytes: file.bytes, sha256: digest(piece.bytes), path: await file.keep({ overwrite, as }) });
    } finally {
      await file.discard();
    }
  }
  return { files, profile };
}

function digest(bytes: Uint8Array): string {
  const tally = new Tally();
  tally.add(bytes);
  return tally.sha256();
}
