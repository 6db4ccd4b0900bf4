/** What is printed once artifacts are saved: their paths, sizes and the command that opens them. */
import { relative } from 'node:path';
import type { CaptureName } from '../../protocol/captures.ts';
import { errorCodes, NodeopsError } from '../../protocol/errors.ts';
import { bytesShort, duration } from '../../protocol/text/quantities.ts';
import { schema } from '../../protocol/wire.ts';
import { type Io, write } from '../io.ts';
import { documentText, isDocumentFormat, itemObject, listObject } from '../render/document.ts';
import { errorLine } from '../render/messages.ts';
import { type TargetName, targetName, typedName } from '../render/target-name.ts';
import type { Target } from '../target.ts';
import type { Skipped } from '../targets/selection.ts';
import type { CapturedAll } from './capture-all.ts';
import type { Collected, SavedFile } from './collect.ts';

export interface ResultRequest extends CapturedAll {
  readonly capture: CaptureName;
  /** Whether one process was named, rather than several or a selection. */
  readonly single: boolean;
  readonly skipped: readonly Skipped[];
  /** `json`, `yaml`, `name`, or lines to read. */
  readonly format: string | undefined;
  /** Whether the artifact itself went to stdout, so that what is said of it goes to stderr. */
  readonly streamed: boolean;
  readonly io: Io;
}

/** Returns the exit code: 0, the error's own when all failed, 3 when some did. A single target's error is thrown. */
export async function printResult(request: ResultRequest): Promise<number> {
  const { outcomes, merged, single, skipped, format, io } = request;
  const failed = outcomes.flatMap(({ of, error }) => (error ? [single ? error : naming(of, error)] : []));
  if (single && failed[0]) throw failed[0];
  const out = request.streamed ? io.stderr : io.stdout;
  if (isDocumentFormat(format)) await write(out, await documentText(format, document(request)));
  else if (format === 'name')
    await write(
      out,
      allFiles(request)
        .map((file) => `${file.path ?? '-'}\n`)
        .join(''),
    );
  else await write(out, readable(request));
  for (const { value } of outcomes)
    for (const note of value?.notes ?? [])
      io.stderr.write(`note: ${single ? '' : `${typedName(value!.name)}: `}${note}\n`);
  for (const error of failed) io.stderr.write(errorLine(io.program, error));
  for (const { namespace, error } of skipped) io.stderr.write(`skipped namespace ${namespace}: ${error.message}\n`);
  if (merged && failed.length > 0) io.stderr.write(`the merged profile lacks ${failed.length} of ${outcomes.length}\n`);
  if (failed.length === 0) return skipped.length === 0 ? 0 : errorCodes['some-failed'].exit;
  return failed.length === outcomes.length ? failed[0]!.exitCode : errorCodes['some-failed'].exit;
}

/** Of many, an error says whose it is. */
function naming({ endpoint: { name } }: Target, error: NodeopsError): NodeopsError {
  if (error.message.includes(name)) return error;
  const { code, message, hint, detail, cause } = error;
  return new NodeopsError(code, `${name}: ${message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail }),
  });
}

function allFiles({ outcomes, merged }: CapturedAll): SavedFile[] {
  return [...outcomes.flatMap(({ value }) => value?.files ?? []), ...(merged ? [merged.file] : [])];
}

function readable(request: ResultRequest): string {
  const { outcomes, merged, capture, io } = request;
  const lines = outcomes.flatMap(({ value }) => (value ? value.files.map((file) => savedLine(file, value)) : []));
  if (merged) lines.push(`${place(merged.file)} (${bytesShort(merged.file.bytes)}, ${merged.count} profiles merged)`);
  const [first] = allFiles({ outcomes, merged: undefined });
  const open = merged?.file ?? first;
  if (open?.path) lines.push(`open it: ${openCommand(capture, open, io.program)}`);
  return lines.map((line) => `${line}\n`).join('');
}

function savedLine(file: SavedFile, { job }: Collected): string {
  const facts = [bytesShort(file.bytes), duration(job.elapsedMs), ...(job.stoppedEarly ? ['stopped early'] : [])];
  return `${place(file)} (${facts.join(', ')})`;
}

/** The path as it is shortest from here. */
function place({ path }: SavedFile): string {
  if (path === null) return 'stdout';
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || short.length >= path.length ? path : short;
}

function openCommand(capture: CaptureName, file: SavedFile, program: string): string {
  const path = quoted(place(file));
  switch (capture) {
    case 'heapsnapshot':
      return `${program} view ${path}, or Chrome DevTools (Memory, Load profile)`;
    case 'report':
      return `less ${path}`;
    case 'trace':
      // a Go process's
      if (file.path?.endsWith('.trace')) return `go tool trace ${path}`;
      return `${program} view ${path}, or https://ui.perfetto.dev`;
    default:
      return `${program} view ${path}`;
  }
}

function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function document(request: ResultRequest): object {
  const { outcomes, merged, single, capture } = request;
  const items = outcomes.map(({ of, value, error }) => ({
    target: value?.name ?? targetName(of),
    envelope: value && envelope(capture, value),
    error,
  }));
  if (single) return itemObject(items[0]!);
  return { ...listObject(capture, items), ...(merged ? { merged: { ...merged.file, profiles: merged.count } } : {}) };
}

function envelope(capture: CaptureName, { job, files, notes, name }: Collected): object {
  const { startedAt, elapsedMs, stoppedEarly, parameters } = job;
  const [first, ...more] = files;
  return {
    schema,
    operation: capture,
    at: startedAt,
    process: { container: (name as TargetName).container, pid: name.pid },
    data: {
      ...first,
      ...(more.length > 0 ? { more } : {}),
      durationMs: elapsedMs,
      stoppedEarly,
      parameters,
    },
    notes,
  };
}
