import { readFile, stat } from 'node:fs/promises';
import type { Profile } from '../../../formats/model.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { captureLimits } from '../../captures/limits.ts';
import { type Io, write } from '../../io.ts';
import { kindOf } from './kind.ts';

export interface ViewOptions {
  readonly web?: boolean | undefined;
  /** The summary as a document; of heap snapshots. */
  readonly json?: boolean | undefined;
  /** Command line that takes the file instead. */
  readonly tool?: string | undefined;
  /** `app`, or a regular expression: what of a profile is looked at. */
  readonly focus?: string | undefined;
  /** Where source maps and sources are. */
  readonly sourceDirectory?: string | undefined;
}

/** Shows a saved file: profiles in a prompt (or what `top` says of them, where nobody can answer), traces in the browser. */
export async function viewFile(path: string, options: ViewOptions, io: Io): Promise<number> {
  const kind = await kindOf(path);
  if (kind === 'heapsnapshot' && options.tool === undefined) {
    if (options.web)
      throw new NodeopsError('usage', `${path} is a heap snapshot, which is shown in the terminal`, {
        hint: 'for the browser open chrome://inspect, Memory, Load profile',
      });
    return (await import('./heap.ts')).viewHeap(path, { json: options.json === true }, io);
  }
  if (options.json)
    throw new NodeopsError('usage', `-o json is for heap snapshots, and ${path} is a ${kind}`, {
      hint: `a heap snapshot's name ends in .heapsnapshot`,
    });
  if (kind === 'report') throw new NodeopsError('usage', `${path} is a diagnostic report`, { hint: `less ${path}` });
  if (options.tool !== undefined) return (await import('./tool.ts')).runTool(options.tool, path, io);
  if (options.web || (kind === 'trace' && isInteractive(io)))
    return (await import('./web.ts')).showUntilClosed(path, io);
  if (kind === 'trace') {
    const { traceTop } = await import('../../../formats/summary/trace-top.ts');
    await write(io.stdout, traceTop(await readSmall(path)));
    return 0;
  }
  const profile = await readSaved(path, options.sourceDirectory, io);
  if (isInteractive(io)) {
    const { prompt } = await import('./prompt.ts');
    await prompt(profile, { path, sourceDirectory: options.sourceDirectory, focus: options.focus }, io);
    return 0;
  }
  const { Queries } = await import('./queries.ts');
  const { localSources } = await import('./source.ts');
  const { answerPiped } = await import('./piped.ts');
  const queries = new Queries(profile, localSources(options.sourceDirectory ?? '.'));
  if (options.focus !== undefined) queries.focus(options.focus);
  return answerPiped(queries, io);
}

/** Whether somebody sits there to answer a prompt. */
export function isInteractive({ stdin, stdout }: Io): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}

async function readSmall(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > captureLimits.profileBytes)
    throw new NodeopsError(
      'too-large',
      `${path} has ${size} bytes; files up to ${captureLimits.profileBytes} are read`,
    );
  return readFile(path);
}

async function readSaved(path: string, sourceDirectory: string | undefined, io: Io): Promise<Profile> {
  const bytes = await readSmall(path);
  const { readProfile } = await import('../../../formats/read.ts');
  if (sourceDirectory === undefined) return readProfile(bytes);
  const { sourceMapDir } = await import('../../../formats/source-map-dir.ts');
  const onProblem = ({ message }: NodeopsError) => io.stderr.write(`note: ${message}\n`);
  return readProfile(bytes, { sourceMaps: await sourceMapDir(sourceDirectory, { onProblem }) });
}
