/** `history`: asks, draws, and writes the page. */
import { Writable } from 'node:stream';
import { NodeopsError } from '../../../protocol/errors.ts';
import { bytesShort } from '../../../protocol/text/quantities.ts';
import { chooseDestination } from '../../captures/destination.ts';
import { PartFile } from '../../captures/part-file.ts';
import { askAll } from '../../client/ask.ts';
import { write } from '../../io.ts';
import { report } from '../../render/report.ts';
import { targetName, typedName } from '../../render/target-name.ts';
import { resolveTargets, type TargetInvocation } from '../../targets/resolve.ts';
import { historyPage } from './html.ts';
import { historyText } from './text.ts';

type HistoryInvocation = TargetInvocation & {
  readonly flags: {
    readonly since: number;
    readonly html: string | undefined;
    readonly overwrite: boolean;
    readonly ascii: boolean;
    readonly output: string | undefined;
  };
};

/** More than a screen or a chart is wide. */
const points = 1_200;

export async function runHistory(invocation: HistoryInvocation): Promise<number> {
  const { flags, io } = invocation;
  const { since, html, overwrite } = flags;
  const destination = html === undefined ? undefined : await chooseDestination(html, { count: 1, overwrite });
  if (destination?.kind === 'directory')
    throw new NodeopsError('usage', `--html ${html} is a directory`, { hint: 'name a file, or - for stdout' });
  const { targets, single, skipped } = await resolveTargets(invocation);
  const answers = await askAll(targets, 'history', { since, points }, flags, io);
  if (destination === undefined) {
    const from = io.now().getTime() - since;
    const options = { columns: io.stdout.columns ?? 100, ascii: flags.ascii || !takesUnicode(io.env), from };
    const view = { text: (history: Parameters<typeof historyText>[0]) => historyText(history, options) };
    return report({ operation: 'history', view, single, skipped, answers, format: flags.output, io });
  }
  const recorded = answers.flatMap(({ of, value }) => {
    if (!value) return [];
    const { container, pid } = value.process;
    const name = `${typedName(targetName(of, value))} ${container === null ? '' : `${container}/`}${pid}`;
    return [{ name, at: value.at, history: value.data }];
  });
  const view = { text: () => [] };
  const heard = { ...io, stdout: new Writable({ write: (_chunk, _encoding, done) => done() }) };
  const code = await report({ operation: 'history', view, single, skipped, answers, format: undefined, io: heard });
  if (recorded.length === 0) return code;
  const page = Buffer.from(historyPage(recorded));
  if (destination.kind === 'stdout') {
    await write(io.stdout, page);
    return code;
  }
  const file = await PartFile.create(destination.name);
  try {
    await file.write(page);
    const path = await file.keep({ overwrite });
    await write(io.stdout, `${path} (${bytesShort(page.length)})\nopen it in a browser: it needs no network\n`);
  } finally {
    await file.discard();
  }
  return code;
}

/** Whether the terminal's locale has the blocks that are drawn with. */
function takesUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || 'C.UTF-8';
  return env.TERM !== 'dumb' && /utf-?8/i.test(locale);
}
