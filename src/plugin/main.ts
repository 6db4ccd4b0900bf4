import { asNodeopsError } from '../protocol/errors.ts';
import { fromGops } from './cli/gops-arguments.ts';
import { runProgram } from './cli/program.ts';
import { commands } from './commands/index.ts';
import type { Io } from './io.ts';
import { errorLine } from './render/messages.ts';
import { guardText } from './render/printable.ts';

/** Runs one invocation of the plugin. Returns the exit code; whatever fails is one line on stderr. */
export async function main(argv: readonly string[], outside: Io): Promise<number> {
  const io = guarded(outside);
  try {
    if (argv[0] === '__complete') {
      const { runCompletion } = await import('./commands/completion/run.ts');
      return await runCompletion(argv.slice(1), io);
    }
    const code = await runProgram(fromGops(argv, io.program), commands, io);
    if (io.env.NODEOPS_UPDATE_CHECK) {
      const { updateNote } = await import('./cli/update-check.ts');
      io.stderr.write((await updateNote(io)) ?? '');
    }
    return code;
  } catch (error) {
    if (isClosedPipe(error)) return 0;
    io.stderr.write(errorLine(io.program, error));
    return asNodeopsError(error).exitCode;
  }
}

/** stdin stays as lazy as it was: to look at it is to open it. */
function guarded(io: Io): Io {
  const { env, program, executable, signal, abandon, now } = io;
  return {
    ...{ env, program, executable, signal, now },
    ...(abandon && { abandon }),
    get stdin() {
      return io.stdin;
    },
    stdout: guardText(io.stdout),
    stderr: guardText(io.stderr),
  };
}

/** The reader of our output has seen enough (`| head`). */
function isClosedPipe(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || isClosedPipe(error.cause);
}
