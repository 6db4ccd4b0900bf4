/** Prints what came of asking one or many targets, in the form asked for, and says by the exit code how it went. */
import { errorCodes } from '../../protocol/errors.ts';
import type { OperationName } from '../../protocol/operations.ts';
import type { Envelope } from '../../protocol/replies.ts';
import type { Outcome } from '../client/fanout.ts';
import { type GoAnswer, goLines, isGoAnswer } from '../client/gops-answers.ts';
import { type Io, write } from '../io.ts';
import type { Target } from '../target.ts';
import type { Skipped } from '../targets/selection.ts';
import { type Column, tableLines } from './columns.ts';
import { documentText, isDocumentFormat, itemObject, listObject } from './document.ts';
import { errorLine } from './messages.ts';
import { hasColors, markOutliers } from './outliers.ts';
import { printableReply, printableText } from './printable.ts';
import { type TargetName, targetName, typedName } from './target-name.ts';

/** How a reply is shown: at length and as one row; or always as rows. */
type Shape<T, R> =
  | { readonly view: { text(reply: T): string[]; readonly columns?: readonly Column<T>[] } }
  | { readonly rows: (reply: T) => readonly R[]; readonly columns: readonly Column<R>[] };

export type Report<T, R> = Shape<T, R> & {
  readonly operation: OperationName;
  /** Whether one target was named, rather than several or a selection. */
  readonly single: boolean;
  /** Namespaces that could not be listed, said at the end. */
  readonly skipped?: readonly Skipped[];
  readonly answers: readonly Outcome<Target, Envelope<T> | GoAnswer>[];
  readonly format: string | undefined;
  readonly io: Io;
};

interface Answered<T> {
  readonly target: TargetName;
  readonly envelope: Envelope<T>;
}

/** Returns the exit code: 0, the error's own when all failed, 3 when some did. A single target's error is thrown. */
export async function report<T, R>(request: Report<T, R>): Promise<number> {
  const { operation, single, skipped = [], answers, format, io } = request;
  const failed = answers.flatMap(({ of, error }) => (error ? [{ of, error }] : []));
  if (single && failed[0]) throw failed[0].error;
  const items = answers.map(({ of, value, error }) => ({
    target: targetName(of, value && !isGoAnswer(value) ? value : undefined),
    envelope: value,
    error,
  }));
  const readableForm = !isDocumentFormat(format);
  const answered = items.flatMap(({ target, envelope }) =>
    envelope ? [{ target, envelope: readableForm ? shown(envelope) : envelope }] : [],
  );
  if (isDocumentFormat(format)) {
    await write(io.stdout, await documentText(format, single ? itemObject(items[0]!) : listObject(operation, items)));
  } else if (format === 'name') {
    await write(io.stdout, joined(answered.map(({ target }) => typedName(target))));
  } else {
    const nodes = answered.flatMap(({ target, envelope }) => (isGoAnswer(envelope) ? [] : [{ target, envelope }]));
    const gos = answered.flatMap(({ target, envelope }) => (isGoAnswer(envelope) ? [{ target, envelope }] : []));
    const blocks = [await readable(request, nodes, format === 'wide'), ...gos.map((item) => goText(item, single))];
    await write(io.stdout, blocks.filter((block) => block !== '').join('\n'));
  }
  for (const { target, envelope } of answered)
    for (const note of envelope.notes) io.stderr.write(`note: ${single ? '' : `${typedName(target)}: `}${note}\n`);
  for (const { error } of failed) io.stderr.write(errorLine(io.program, error));
  for (const { namespace, error } of skipped) io.stderr.write(`skipped namespace ${namespace}: ${error.message}\n`);
  if (failed.length === 0) return skipped.length === 0 ? 0 : errorCodes['some-failed'].exit;
  return failed.length === answers.length ? failed[0]!.error.exitCode : errorCodes['some-failed'].exit;
}

/** A Go agent's text has lines of its own; a reply of ours has none inside of its strings. */
function shown<T>(envelope: Envelope<T> | GoAnswer): Envelope<T> | GoAnswer {
  if (!isGoAnswer(envelope)) return printableReply(envelope);
  return { ...printableReply(envelope), text: printableText(envelope.text, false) };
}

async function readable<T, R>(request: Report<T, R>, answered: readonly Answered<T>[], wide: boolean): Promise<string> {
  if (answered.length === 0) return '';
  if ('rows' in request) {
    const rows = answered.flatMap((item) => request.rows(item.envelope.data).map((row) => ({ ...item, row })));
    const columns = [
      ...(request.single ? [] : targetColumns(rows)),
      ...lift(request.columns, ({ row }: { row: R }) => row),
    ];
    return joined(await tableLines(visible(columns, wide), rows));
  }
  const { view, single } = request;
  if (single) return joined(answered.flatMap(({ envelope }) => atLength(view, envelope)));
  if (!view.columns)
    return answered.map((item) => joined([heading(item), ...atLength(view, item.envelope)])).join('\n');
  const process: Column<Answered<T>> = { title: 'PROCESS', text: ({ envelope }) => processName(envelope) };
  const columns = [
    ...targetColumns(answered),
    process,
    ...lift(view.columns, ({ envelope }: Answered<T>) => envelope.data),
  ];
  const marked = markOutliers(visible(columns, wide), answered, hasColors(request.io));
  return joined(await tableLines(marked, answered));
}

/** gops' own words: they fit no table of ours. */
function goText({ target, envelope }: { target: TargetName; envelope: GoAnswer }, single: boolean): string {
  return joined([...(single ? [] : [`==> ${typedName(target)} ${envelope.go} <==`]), ...goLines(envelope)]);
}

function atLength<T>(view: { text(reply: T): string[] }, envelope: Envelope<T>): string[] {
  return [...(envelope.stuck ? [`stuck: ${envelope.stuck.summary}`] : []), ...view.text(envelope.data)];
}

function targetColumns<U extends { readonly target: TargetName }>(answered: readonly U[]): Column<U>[] {
  const namespaces = new Set(answered.map(({ target }) => target.namespace));
  const name: Column<U> = {
    title: 'TARGET',
    text: ({ target }) => target.pod ?? target.address,
  };
  return namespaces.size > 1 ? [{ title: 'NAMESPACE', text: ({ target }) => target.namespace }, name] : [name];
}

function lift<T, U>(columns: readonly Column<T>[], of: (row: U) => T): Column<U>[] {
  return columns.map(({ figure, ...column }) => ({
    ...column,
    text: (row) => column.text(of(row)),
    ...(figure ? { figure: (row: U) => figure(of(row)) } : {}),
  }));
}

function visible<T>(columns: readonly Column<T>[], wide: boolean): Column<T>[] {
  return columns.filter((column) => wide || !column.wide);
}

function heading({ target, envelope }: Answered<unknown>): string {
  return `==> ${typedName(target)} ${processName(envelope)} <==`;
}

function processName({ process }: Envelope<unknown>): string {
  return process.container === null ? String(process.pid) : `${process.container}/${process.pid}`;
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
