/** Questions line by line, from a person at a terminal or from a pipe. */
import { createInterface } from 'node:readline';
import { NodeopsError } from '../../../protocol/errors.ts';
import { type Io, write } from '../../io.ts';
import { unguarded } from '../../render/printable.ts';

export interface Asked {
  /** `(pprof) `. */
  readonly prompt: string;
  /** Whether to ask aloud; a script that reads the answers wants no prompts in between. @default true */
  readonly aloud?: boolean;
  /** For completion. */
  readonly names: readonly string[];
  /** Undefined for what is no command. */
  answer(line: string): Promise<string | undefined> | string | undefined;
}

/** Asks until `quit` or the end of input. */
export async function askLines({ prompt, names, answer, aloud = true }: Asked, io: Io): Promise<void> {
  const terminal = io.stdin.isTTY === true && io.stdout.isTTY === true;
  const lines = createInterface({
    input: io.stdin,
    ...(aloud ? { output: unguarded(io.stdout) } : {}),
    terminal,
    prompt,
    completer: (line: string) => [names.filter((name) => name.startsWith(line)), line],
  });
  let open = true;
  lines.on('close', () => {
    open = false;
  });
  // lines that came before the end of input are still answered
  const ask = () => open && aloud && lines.prompt();
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
      if (text !== '') await write(io.stdout, await reply(answer, text));
      ask();
    }
    if (terminal) io.stdout.write('\n');
  } finally {
    lines.close();
  }
}

async function reply(answer: Asked['answer'], text: string): Promise<string> {
  try {
    return (await answer(text)) ?? `unrecognized command: "${text}" (type "help" for commands)\n`;
  } catch (error) {
    if (!(error instanceof NodeopsError)) throw error;
    return `${error.message}${error.hint === undefined ? '' : `; ${error.hint}`}\n`;
  }
}
