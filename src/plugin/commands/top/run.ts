/** `top`: a screen on a terminal; a table every interval otherwise; NDJSON with `-o json`; one of either with `--once`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCodes, NodeopsError } from '../../../protocol/errors.ts';
import { encodeError } from '../../../protocol/wire.ts';
import { askAll } from '../../client/ask.ts';
import { type Io, write } from '../../io.ts';
import { parseTargets } from '../../targets/parse.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import { problemText, type Row, rowName, sortRows, type TopColumn, topColumns } from './columns.ts';
import { Watch } from './watch.ts';

type TopInvocation = TargetInvocation & {
  readonly flags: {
    readonly interval: number;
    readonly once: boolean;
    readonly sort: string;
    readonly output: string | undefined;
  };
};

/** How often a selection is looked up again, for pods that come and go. */
const refreshMs = 5_000;

export async function runTop(invocation: TopInvocation): Promise<number> {
  const { flags, io } = invocation;
  const { targets } = await resolveTargets(invocation);
  const ended = new AbortController();
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const sort = topColumns.find(({ title }) => title.toLowerCase().startsWith(flags.sort));
  const terminal = io.stdout.isTTY === true && io.stdin.isTTY === true && io.env.TERM !== 'dumb';
  const live = terminal && !flags.once && flags.output === undefined;
  const watch = new Watch({
    intervalMs: flags.interval,
    signal,
    onRow: (row) => {
      if (flags.output !== 'json' || flags.once) return;
      // a reader that went away ends the watch: pods must not be asked for nobody
      write(io.stdout, `${JSON.stringify(document(row, io))}\n`).catch((error: Error) => ended.abort(error));
    },
  });
  watch.set(targets);
  const refreshing = refresh(watch, invocation, signal);
  try {
    if (live) await runLive(watch, sort, invocation);
    else if (flags.once) return await once(watch, flags, sort, io);
    else if (flags.output === 'json') {
      await aborted(signal);
      if (ended.signal.aborted) throw ended.signal.reason;
    } else await tables(watch, flags.interval, sort, io);
  } finally {
    ended.abort();
    await refreshing;
  }
  return 0;
}

async function runLive(watch: Watch, sort: TopColumn | undefined, { flags, io }: TopInvocation): Promise<void> {
  const [{ runScreen }, { stackText }] = await Promise.all([
    import('./screen.ts'),
    import('../../../protocol/text/stack.ts'),
  ]);
  const stack = async (row: Row): Promise<string[]> => {
    const target = watch.targetOf(row);
    if (!target) return ['it is gone'];
    const [answer] = await askAll([target], 'stack', {}, { timeout: flags.timeout }, io);
    return answer?.value ? stackText(answer.value.data) : [answer?.error?.message ?? 'no answer'];
  };
  const profile = async (row: Row): Promise<string[]> => {
    const target = watch.targetOf(row);
    if (!target) return ['it is gone'];
    const { profileOf } = await import('./profile.ts');
    return profileOf(target, flags.timeout, io);
  };
  await runScreen({ rows: () => watch.rows(), stack, profile, sort }, io);
}

/** The exit code is that of asking each once: 0, 3 when some failed, the first one's own when all did. */
async function once(watch: Watch, flags: TopInvocation['flags'], sort: TopColumn | undefined, io: Io): Promise<number> {
  const deadline = AbortSignal.any([io.signal, AbortSignal.timeout(flags.timeout ?? 15_000)]);
  await watch.first(deadline);
  const rows = sortRows(watch.rows(), sort);
  const failed = rows.flatMap(({ problem }) => problem ?? []);
  if (failed.length === rows.length && rows.length > 0) throw failed[0];
  const text =
    flags.output === 'json'
      ? rows.map((row) => `${JSON.stringify(document(row, io))}\n`).join('')
      : await tableText(rows, sort);
  await write(io.stdout, text);
  return failed.length === 0 ? 0 : errorCodes['some-failed'].exit;
}

async function tables(watch: Watch, intervalMs: number, sort: TopColumn | undefined, io: Io): Promise<void> {
  await watch.first(io.signal);
  while (!io.signal.aborted) {
    await write(io.stdout, `${await tableText(watch.rows(), sort)}\n`);
    await sleep(intervalMs, undefined, { signal: io.signal }).catch(() => {});
  }
}

async function tableText(rows: readonly Row[], sort: TopColumn | undefined): Promise<string> {
  const { tableLines } = await import('../../render/columns.ts');
  const figures = topColumns.map((column) => ({
    title: column.title,
    align: 'right' as const,
    text: ({ sample }: Row) => (sample ? column.text(sample) : null),
  }));
  const problem = { title: 'PROBLEM', text: problemText };
  const columns = [{ title: 'PROCESS', text: rowName }, ...figures, ...(rows.some(problem.text) ? [problem] : [])];
  return (await tableLines(columns, sortRows(rows, sort))).map((line) => `${line}\n`).join('');
}

function document({ target, sample, problem }: Row, io: Io): object {
  return {
    schema: 'nodeops/v1',
    at: io.now().toISOString(),
    target,
    ...(sample ? { sample } : {}),
    ...(problem ? { error: encodeError(problem).error } : {}),
  };
}

/** Follows a selection; a failure to look it up is passed over, since the rows themselves show what does not answer. */
async function refresh(watch: Watch, invocation: TopInvocation, signal: AbortSignal): Promise<void> {
  const { selector, 'field-selector': fields, 'all-namespaces': all } = invocation.flags;
  const follows =
    selector !== undefined ||
    fields !== undefined ||
    all ||
    invocation.args.some((target) => target.includes('/')) ||
    parseTargets(invocation.args).some(({ kind }) => kind === 'workload');
  while (follows && !signal.aborted) {
    await sleep(refreshMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    await resolveTargets(invocation).then(
      async ({ targets, api }) => {
        watch.set(targets);
        // its idle connection would stay open, one for each look
        await api?.close();
      },
      // none left: all have gone
      (error) => {
        if (error instanceof NodeopsError && error.code === 'nothing-matched') watch.set([]);
      },
    );
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
