/** `diff BASE NEW`. */
import { errorCodes, NodeopsError } from '../../../protocol/errors.ts';
import { chooseDestination } from '../../captures/destination.ts';
import { conversion } from '../../captures/formats.ts';
import type { Io } from '../../io.ts';
import { errorLine } from '../../render/messages.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import { kindOf } from '../view/kind.ts';
import { captureSides } from './capture.ts';
import { type Compared, type CompareOptions, compare, type Normalize } from './compare.ts';
import { readProfileFile } from './file.ts';
import { parseSide, type Side } from './side.ts';

type DiffInvocation = TargetInvocation & {
  readonly flags: {
    readonly capture: string;
    readonly duration: number;
    readonly normalize: string;
    readonly show: string;
    readonly sort: string;
    readonly count: number;
    readonly save: string | undefined;
    readonly overwrite: boolean;
    readonly 'source-map-dir': string | undefined;
    readonly output: string | undefined;
  };
};

/** Returns 0, or 3 when some processes of a side could not be captured from. */
export async function runDiff(invocation: DiffInvocation): Promise<number> {
  const { args, flags, io } = invocation;
  const [before, after, ...more] = args;
  if (before === undefined || after === undefined || more.length > 0)
    throw new NodeopsError('usage', `diff takes a base and what is compared with it, not ${args.length} arguments`, {
      hint: `${io.program} diff old.cpu.pb.gz new.cpu.pb.gz, or ${io.program} diff rs/api-1 rs/api-2`,
    });
  const sides = await Promise.all([parseSide(before), parseSide(after)]);
  const [first, second] = sides;
  if (first?.kind === 'file' && second?.kind === 'file' && (await bothHeaps(first.path, second.path))) {
    const { diffHeapFiles } = await import('./heap.ts');
    await diffHeapFiles(first.path, second.path, { format: flags.output, count: flags.count }, io);
    return 0;
  }
  const save = flags.save === undefined ? undefined : await fileFor(flags.save, flags.overwrite);
  const files = new Map<Side, Compared>();
  for (const side of sides)
    if (side.kind === 'file') {
      const profile = await readProfileFile(side.path, flags['source-map-dir'], io);
      files.set(side, { said: side.said, profile });
    }
  const captured = await capture(
    sides.filter((side) => side.kind === 'processes'),
    invocation,
  );
  const [base, next] = sides.map((side) => files.get(side) ?? captured.compared.get(side)!) as [Compared, Compared];
  const options: CompareOptions = {
    normalize: flags.normalize as Normalize,
    show: flags.show as NonNullable<CompareOptions['show']>,
    sort: flags.sort as NonNullable<CompareOptions['sort']>,
    nodeCount: flags.count,
    format: flags.output,
    save,
  };
  await compare(base, next, options, io);
  for (const error of captured.failed) io.stderr.write(errorLine(io.program, error));
  return captured.failed.length === 0 ? 0 : errorCodes['some-failed'].exit;
}

async function bothHeaps(...paths: readonly string[]): Promise<boolean> {
  const kinds = await Promise.all(paths.map(kindOf));
  const heaps = kinds.filter((kind) => kind === 'heapsnapshot').length;
  if (heaps === 1)
    throw new NodeopsError(
      'usage',
      `one of ${paths.join(' and ')} is a heap snapshot, and the other a ${kinds.find((kind) => kind !== 'heapsnapshot')}`,
      {
        hint: 'name two .heapsnapshot files, or two profiles',
      },
    );
  return heaps === 2;
}

async function fileFor(path: string, overwrite: boolean) {
  const destination = await chooseDestination(path, { count: 1, overwrite });
  if (destination.kind === 'file') return destination;
  throw new NodeopsError('usage', `--save ${path} is no file name`, { hint: '--save diff.pb.gz' });
}

interface Captured {
  readonly compared: ReadonlyMap<Side, Compared>;
  readonly failed: readonly NodeopsError[];
}

async function capture(
  sides: readonly Extract<Side, { kind: 'processes' }>[],
  invocation: DiffInvocation,
): Promise<Captured> {
  const compared = new Map<Side, Compared>();
  if (sides.length === 0) return { compared, failed: [] };
  const { flags, io } = invocation;
  const name = flags.capture === 'pprof-heap' ? 'pprof-heap' : 'pprof-cpu';
  const targets: Awaited<ReturnType<typeof resolveTargets>>['targets'][] = [];
  for (const { args, selector } of sides)
    targets.push((await resolveTargets({ ...invocation, args, flags: { ...flags, selector } })).targets);
  const sourceMaps = await openSourceMaps(flags['source-map-dir'], io);
  const results = await captureSides(
    targets,
    {
      capture: name,
      parameters: { duration: flags.duration },
      convert: await conversion(name, { format: 'pprof', sourceMaps }),
      timeoutMs: flags.timeout ?? 30_000,
    },
    flags.concurrency,
    io,
  );
  for (const [i, side] of sides.entries()) {
    const { profile, count } = results[i]!;
    compared.set(side, { said: side.said, profile, count });
  }
  return { compared, failed: results.flatMap(({ failed }) => failed) };
}

async function openSourceMaps(directory: string | undefined, io: Io) {
  if (directory === undefined) return undefined;
  const { sourceMapDir } = await import('../../../formats/source-map-dir.ts');
  return sourceMapDir(directory, { onProblem: ({ message }) => io.stderr.write(`note: ${message}\n`) });
}
