import { createInterface } from 'node:readline';
import type { Profile } from '../../../formats/model.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Io, write } from '../../io.ts';
import { unguarded } from '../../render/printable.ts';
import { Queries, queryNames } from './queries.ts';
import { localSources } from './source.ts';
import { showInBrowser } from './web.ts';

export interface PromptOptions {
  /** The profile's file, for `web`. */
  readonly path: string;
  /** Where `list` looks for sources. @default the current directory */
  readonly sourceDirectory?: string | undefined;
}

/** The interactive `(pprof)` prompt: asks until `quit` or the end of input. */
export async function prompt(profile: Profile, { path, sourceDirectory = '.' }: PromptOptions, io: Io): Promise<void> {
  const queries = new Queries(profile, localSources(sourceDirectory));
  const closing = new AbortController();
  let shown: Promise<string> | undefined;
  const web = async (): Promise<string> => {
    // asked again, it is the page that is there
    shown ??= showInBrowser(path, io, closing.signal).then(({ url, closed }) => {
      closed.then(() => {
        shown = undefined;
      });
      return url;
    });
    return `${await shown}\n`;
  };
  await write(io.stdout, `${queries.head()}Entering interactive mode (type "help" for commands)\n`);
  const terminal = io.stdin.isTTY === true && io.stdout.isTTY === true;
  const lines = createInterface({
    input: io.stdin,
    output: unguarded(io.stdout),
    terminal,
    prompt: '(pprof) ',
    completer: (line: string) => [queryNames.filter((name) => name.startsWith(line)), line],
  });
  let open = true;
  lines.on('close', () => {
    open = false;
  });
  // lines that came before the end of input are still answered
  const ask = () => open && lines.prompt();
  // as a shell does: the line is dropped
  lines.on('SIGINT', () => {
    io.stdout.write('^C\n');
    lines.write(null, { ctrl: true, name: 'u' });
    ask();
  });
  try {
    ask();
    for await (const line of lines) {
      const text = line.trim();
      if (/^(?:q|quit|exit|:q)$/.test(text)) return;
      if (text !== '') await write(io.stdout, await reply(queries, text, web, io));
      ask();
    }
    if (terminal) io.stdout.write('\n');
  } finally {
    lines.close();
    closing.abort();
  }
}

async function reply(queries: Queries, text: string, web: () => Promise<string>, io: Io): Promise<string> {
  try {
    if (text === 'web') return await web();
    const answer = queries.answer(text, io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0);
    return answer ?? `unrecognized command: "${text}" (type "help" for commands)\n`;
  } catch (error) {
    if (!(error instanceof NodeopsError)) throw error;
    return `${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`;
  }
}
