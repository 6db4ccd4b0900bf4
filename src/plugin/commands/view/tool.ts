import { spawn } from 'node:child_process';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Io } from '../../io.ts';

/** Words of a command line; quotes keep blanks together. Throws `usage` when one is not closed. */
export function words(command: string): string[] {
  const found = [...command.matchAll(/(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)|(\S)/g)];
  if (found.length === 0 || found.some((match) => match[4] !== undefined))
    throw new NodeopsError('usage', `--tool '${command}' is no command`, { hint: 'such as: --tool "go tool pprof"' });
  return found.map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}

/** Opens a file with a tool of the user's, on the user's own terminal. Returns its exit code. */
export function runTool(command: string, path: string, { env }: Io): Promise<number> {
  const [program, ...args] = words(command);
  return new Promise((resolve, reject) => {
    const child = spawn(program!, [...args, path], { stdio: 'inherit', env: { ...env } });
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'it is not installed' : cause.message;
      reject(
        new NodeopsError('failed', `cannot run '${program}' on ${path}: ${why}`, {
          cause,
          hint: 'without --tool the profile opens in a prompt of our own',
        }),
      );
    });
    child.on('exit', (code, signal) => resolve(signal ? 130 : (code ?? 1)));
  });
}
