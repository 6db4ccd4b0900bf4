/** Queries that come on stdin where nobody sits at a terminal: `printf 'top\nlines' | nodeops view FILE`. */
import { createInterface } from 'node:readline';
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Io, write } from '../../io.ts';
import type { Queries } from './queries.ts';

/** How long a pipe may be silent before nothing is expected of it: some programs leave one open that they never write to. */
const firstMs = 1_000;

/** Answers every line; without any, the overview. Exits 2 when a line was no query. */
export async function answerPiped(queries: Queries, io: Io): Promise<number> {
  await write(io.stdout, queries.head());
  let asked = 0;
  let wrong = 0;
  if (await hasInput(io.stdin)) {
    for await (const line of createInterface({ input: io.stdin })) {
      const text = line.trim();
      if (text === '') continue;
      if (/^(?:q|quit|exit|:q)$/.test(text)) break;
      asked++;
      try {
        const answer = queries.answer(text);
        if (answer === undefined) throw new NodeopsError('usage', `unrecognized command: "${text}"`);
        await write(io.stdout, answer);
      } catch (error) {
        if (!(error instanceof NodeopsError)) throw error;
        wrong++;
        io.stderr.write(`${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`);
      }
    }
  }
  // a pipe that is left open must not keep the process
  (io.stdin as { destroy?: () => void }).destroy?.();
  if (asked === 0) await write(io.stdout, queries.overview());
  return wrong > 0 ? 2 : 0;
}

/** Whether a first byte comes. */
async function hasInput(stdin: Io['stdin']): Promise<boolean> {
  if (stdin.isTTY) return false;
  return new Promise((resolve) => {
    const done = (answer: boolean) => {
      clearTimeout(timer);
      stdin.off('readable', readable).off('end', ended).off('error', ended);
      resolve(answer);
    };
    const readable = () => done((stdin as { readableLength?: number }).readableLength !== 0);
    const ended = () => done(false);
    const timer = setTimeout(ended, firstMs);
    stdin.on('readable', readable).on('end', ended).on('error', ended);
  });
}
