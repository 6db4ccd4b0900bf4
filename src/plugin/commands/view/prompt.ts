import type { Profile } from '../../../formats/model.ts';
import { type Io, write } from '../../io.ts';
import { askLines } from './ask-lines.ts';
import { Queries, queryNames } from './queries.ts';
import { localSources } from './source.ts';
import { showInBrowser } from './web.ts';

export interface PromptOptions {
  /** The profile's file, for `web`. */
  readonly path: string;
  /** Where `list` looks for sources. @default the current directory */
  readonly sourceDirectory?: string | undefined;
  /** As the query of that name takes it. */
  readonly focus?: string | undefined;
}

/** The interactive `(pprof)` prompt: asks until `quit` or the end of input. */
export async function prompt(
  profile: Profile,
  { path, sourceDirectory = '.', focus }: PromptOptions,
  io: Io,
): Promise<void> {
  const queries = new Queries(profile, localSources(sourceDirectory));
  if (focus !== undefined) queries.focus(focus);
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
  const width = () => (io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0);
  try {
    await askLines(
      {
        prompt: '(pprof) ',
        names: queryNames,
        answer: (text) => (text === 'web' ? web() : queries.answer(text, width())),
      },
      io,
    );
  } finally {
    closing.abort();
  }
}
