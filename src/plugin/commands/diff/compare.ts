/** Two profiles side by side: checked, compared, printed, and saved where that was asked for. */
import { type Diff, type DiffOptions, defaultColumn, diff } from '../../../formats/diff.ts';
import { commonTypes, typeNames } from '../../../formats/merge.ts';
import type { Profile } from '../../../formats/model.ts';
import { type ChangesOptions, changes } from '../../../formats/summary/changes.ts';
import { toPprof } from '../../../formats/to-pprof.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { schema } from '../../../protocol/wire.ts';
import type { Destination } from '../../captures/destination.ts';
import { PartFile } from '../../captures/part-file.ts';
import { type Io, write } from '../../io.ts';
import { documentText, isDocumentFormat } from '../../render/document.ts';
import { deltaProfile } from './delta.ts';

export interface Compared {
  /** What was typed for it. */
  readonly said: string;
  readonly profile: Profile;
  /** Processes that were captured for it; undefined for a file. */
  readonly count?: number | undefined;
}

export type Normalize = 'auto' | 'none' | 'duration' | 'total';

export interface CompareOptions extends Pick<ChangesOptions, 'show' | 'sort' | 'nodeCount'> {
  readonly normalize: Normalize;
  /** `json`, `yaml`, or a table. */
  readonly format?: string | undefined;
  /** Where the difference goes as a profile. */
  readonly save?: Extract<Destination, { kind: 'file' }> | undefined;
}

/** Throws `usage` when the two are of different kinds. */
export function checkKinds(base: Compared, next: Compared): void {
  if (commonTypes(next.profile, base.profile).length > 0) return;
  const [before, after] = [base, next].map(({ profile }) => typeNames(profile.sampleTypes));
  throw new NodeopsError(
    'usage',
    `${base.said} and ${next.said} are different kinds of profile: one has ${before}, the other ${after}`,
    { hint: 'compare CPU with CPU, and heap with heap, both live or both allocated' },
  );
}

export async function compare(base: Compared, next: Compared, options: CompareOptions, io: Io): Promise<void> {
  checkKinds(base, next);
  const normalize = chooseNormalization(base.profile, next.profile, options.normalize);
  const result = diff(base.profile, next.profile, { normalize });
  if (isDocumentFormat(options.format))
    await write(io.stdout, await documentText(options.format, document(base, next, normalize, result, options)));
  else {
    const head = [`Base: ${heading(base)}`, `New: ${heading(next)}`, `Normalized by: ${normalize}`];
    const width = io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0;
    await write(io.stdout, `${head.join('\n')}\n${changes(result, { ...options, widthColumns: width })}`);
  }
  if (options.save) await save(deltaProfile(base.profile, next.profile, result.scale), options.save, io);
}

/** CPU by time measured, which counts every process; what is live on a heap does not grow with that. */
function chooseNormalization(base: Profile, next: Profile, asked: Normalize): NonNullable<DiffOptions['normalize']> {
  if (asked !== 'auto') return asked;
  const known = base.facts.durationNanos > 0 && next.facts.durationNanos > 0;
  const { type, unit } = next.sampleTypes[defaultColumn(next)]!;
  return known && (unit === 'nanoseconds' || type.startsWith('alloc')) ? 'duration' : 'none';
}

function heading({ said, count, profile }: Compared): string {
  const seconds = profile.facts.durationNanos / 1e9;
  const processes = count === undefined ? [] : [`${count} process${count === 1 ? '' : 'es'}`];
  const facts = [...processes, ...(seconds > 0 ? [`${seconds.toFixed(1)}s`] : [])];
  return `${said}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
}

function document(base: Compared, next: Compared, normalize: string, result: Diff, options: CompareOptions): object {
  const side = ({ said, count, profile }: Compared, total: number) => ({
    name: said,
    processes: count ?? null,
    durationSeconds: profile.facts.durationNanos > 0 ? profile.facts.durationNanos / 1e9 : null,
    total,
  });
  const { nodeCount = 0 } = options;
  const rows = nodeCount > 0 ? result.rows.slice(0, nodeCount) : result.rows;
  return {
    schema,
    kind: 'Diff',
    type: result.type.type,
    unit: result.type.unit,
    normalize,
    scale: result.scale,
    base: side(base, result.baseTotal),
    new: side(next, result.newTotal),
    functions: rows,
  };
}

async function save(delta: Profile, { name, overwrite }: NonNullable<CompareOptions['save']>, io: Io): Promise<void> {
  const part = await PartFile.create(name);
  try {
    await part.write(await toPprof(delta));
    const path = await part.keep({ overwrite });
    io.stderr.write(`saved ${path}\nopen it: ${io.program} view ${path}\n`);
  } finally {
    await part.discard();
  }
}
