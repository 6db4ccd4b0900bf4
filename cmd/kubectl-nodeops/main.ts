import { basename, resolve } from 'node:path';
import { isSea } from 'node:sea';
import { main } from '../../src/plugin/main.ts';

const interrupted = new AbortController();
process.on('SIGINT', () => {
  if (interrupted.signal.aborted) process.exit(130);
  interrupted.abort();
});
process.on('SIGTERM', () => process.exit(143));
// a reader that went away (`| head`) is no failure; writes report it to whoever writes
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const { stdin, stdout, stderr, env } = process;
const executable = isSea() ? process.execPath : resolve(process.argv[1]!);
const program = basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl nodeops' : 'nodeops';
main(process.argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  program,
  executable,
  signal: interrupted.signal,
  now: () => new Date(),
}).then(
  // sockets kept alive for a next request must not hold the shell
  (exitCode) => process.exit(exitCode),
);
