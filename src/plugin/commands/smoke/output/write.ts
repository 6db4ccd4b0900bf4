/** Puts a report where it was asked for: stdout, files, the job's summary, annotations. */
import { appendFile } from 'node:fs/promises';
import { NodeopsError } from '../../../../protocol/errors.ts';
import { chooseDestination } from '../../../captures/destination.ts';
import { localFailure } from '../../../captures/local-failure.ts';
import { PartFile } from '../../../captures/part-file.ts';
import { type Io, write } from '../../../io.ts';
import { documentText } from '../../../render/document.ts';
import { printable, unguarded } from '../../../render/printable.ts';
import type { SmokeReport } from '../report.ts';
import { annotations } from './annotations.ts';
import { junitXml } from './junit.ts';
import { markdownText } from './markdown.ts';
import { tableText } from './table.ts';

export interface Outputs {
  readonly output: string | undefined;
  readonly junit: string | undefined;
  readonly markdown: string | undefined;
}

export async function writeReport(report: SmokeReport, { output, junit, markdown }: Outputs, io: Io): Promise<void> {
  const { GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: actions } = io.env;
  if (output === 'json' || output === 'yaml') await write(io.stdout, await documentText(output, report));
  else await write(io.stdout, await tableText(report, output === 'wide'));
  for (const note of report.notes) io.stderr.write(`note: ${note}\n`);
  if (junit !== undefined) await saveFile(junit, junitXml(report));
  if (markdown !== undefined) await saveFile(markdown, markdownText(report));
  // its own word: a run that nobody can read the summary of is still a run
  if (summary)
    await appendFile(summary, `${markdownText(report)}\n`).catch((error: Error) => {
      io.stderr.write(`note: the job's summary could not be written: ${error.message}\n`);
    });
  if (actions === 'true')
    unguarded(io.stderr).write(
      annotations(report)
        .map((line) => `${printable(line)}\n`)
        .join(''),
    );
}

/** Before the run, so that it is not made in vain. Throws `local-file` or `usage`, naming the flag. */
export async function checkFile(flag: string, path: string | undefined): Promise<void> {
  if (path === undefined) return;
  const destination = await chooseDestination(path, { count: 1, overwrite: true });
  if (destination.kind === 'file') return;
  throw new NodeopsError('usage', `--${flag} takes a file, and '${path.slice(0, 100)}' is none`);
}

/** Replaces what is there, whole or not at all. */
export async function saveFile(path: string, text: string): Promise<void> {
  const destination = await chooseDestination(path, { count: 1, overwrite: true });
  if (destination.kind !== 'file') throw localFailure(path, { code: 'EISDIR' });
  const part = await PartFile.create(destination.name);
  try {
    await part.write(Buffer.from(text));
    await part.keep({ overwrite: true });
  } finally {
    await part.discard();
  }
}
