/** What is kept of a process that fails a check: its stack, and a short profile of what the check is about. */
import { asNodeopsError, type NodeopsError } from '../../../protocol/errors.ts';
import { stackText } from '../../../protocol/text/stack.ts';
import { captureInto } from '../../captures/capture-into.ts';
import { artifactStem } from '../../captures/filename.ts';
import { PartFile } from '../../captures/part-file.ts';
import { askAll } from '../../client/ask.ts';
import { fanOut } from '../../client/fanout.ts';
import type { Io } from '../../io.ts';
import { evidenceOf, type Judged, oneLine } from './judge.ts';

/** Paths of what was kept, and why something else was not. */
export interface Evidence {
  readonly files: readonly string[];
  readonly problems: readonly string[];
}

export interface EvidenceOptions {
  readonly directory: string;
  readonly profileMs: number;
}

/** Of a large selection that fails as a whole, the first few show as much as all. */
const limitProcesses = 8;

/** By judged process, in their order; undefined for those nothing was kept of. */
export async function keepEvidence(
  judged: readonly Judged[],
  options: EvidenceOptions,
  io: Io,
): Promise<ReadonlyMap<Judged, Evidence>> {
  const offenders = judged.filter(({ results }) => results.some(({ status }) => status === 'fail'));
  const taken = offenders.slice(0, limitProcesses);
  const outcomes = await fanOut(taken, (each) => keepOf(each, options, io), { concurrency: 4 });
  const left = offenders
    .slice(limitProcesses)
    .map(
      (each) => [each, { files: [], problems: [`evidence is kept of ${limitProcesses} processes at most`] }] as const,
    );
  const kept = outcomes.map(
    ({ of, value, error }) => [of, value ?? { files: [], problems: [sentence('evidence', error!)] }] as const,
  );
  return new Map([...kept, ...left]);
}

async function keepOf({ run, results }: Judged, { directory, profileMs }: EvidenceOptions, io: Io): Promise<Evidence> {
  const failed = results.filter(({ status }) => status === 'fail');
  const captures = new Set(failed.flatMap(({ check }) => evidenceOf(check) ?? []));
  const files: string[] = [];
  const problems: string[] = [];
  const [answer] = await askAll([run.target], 'stack', {}, {}, io);
  if (answer?.value) {
    const { data, stuck } = answer.value;
    const lines = [...(stuck ? [`stuck: ${stuck.summary}`] : []), ...stackText(data)];
    files.push(await saveText(directory, artifactStem(run.name, io.now()), '.stack.txt', lines.join('\n')));
  } else if (answer?.error) problems.push(sentence('stack', answer.error));
  for (const capture of captures)
    try {
      const parameters = { duration: profileMs };
      files.push(...(await captureInto(run.target, { capture, parameters, directory }, io)));
    } catch (error) {
      problems.push(sentence(capture, asNodeopsError(error)));
    }
  return { files, problems };
}

async function saveText(directory: string, stem: string, extension: string, text: string): Promise<string> {
  const part = await PartFile.create({ directory, stem, extension });
  try {
    await part.write(Buffer.from(`${text}\n`));
    return await part.keep();
  } catch (error) {
    throw asNodeopsError(error);
  } finally {
    await part.discard();
  }
}

function sentence(what: string, { message }: NodeopsError): string {
  return oneLine(`no ${what}: ${message}`);
}
