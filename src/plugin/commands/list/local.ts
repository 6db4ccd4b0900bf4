/** `nodeops list` of this machine. */
import { type Io, write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { plain } from '../../render/plain.ts';
import { findProcesses, type LocalProcess } from './processes.ts';

/** Prints the processes in gops' columns: pid, ppid, name, `*` with an agent, version, path. Returns the exit code. */
export async function listLocal(format: string | undefined, io: Io): Promise<number> {
  const { processes } = await findProcesses(io);
  if (isDocumentFormat(format)) {
    const document = { schema: 'nodeops/v1', kind: 'List', operation: 'list', items: processes };
    await write(io.stdout, await documentText(format, document));
  } else {
    const lines = format === 'name' ? processes.map(({ pid }) => String(pid)) : listLines(processes, format === 'wide');
    await write(io.stdout, lines.map((line) => `${line}\n`).join(''));
  }
  sayIfNone(processes, io);
  return 0;
}

/** No header: as gops prints them, for `awk`. */
export function listLines(processes: readonly LocalProcess[], wide: boolean): string[] {
  const rows = processes.map(({ pid, ppid, name, version, path, port, command }) => ({
    cells: [String(pid), String(ppid), plain(name), port === null ? ' ' : '*', version ?? '?'],
    rest: plain(wide ? command : path),
  }));
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(0, ...rows.map(({ cells }) => cells[i]!.length)));
  return rows.map(({ cells, rest }) => `${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' ')} ${rest}`);
}

export function sayIfNone(processes: readonly LocalProcess[], io: Io): void {
  if (processes.length === 0) io.stderr.write('no Node.js processes that you may see run on this machine\n');
}
