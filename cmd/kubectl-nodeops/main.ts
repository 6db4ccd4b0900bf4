import { basename, resolve } from 'node:path';
import { isSea } from 'node:sea';
import { startupSnapshot } from 'node:v8';
import { main } from '../../src/plugin/main.ts';

/** How long what was begun gets to clean up when we are told to end. */
const endMs = 5_000;

/** Everything that touches the process: with a startup snapshot it runs when the snapshot is loaded, not when it is made. */
function start(): void {
  const interrupted = new AbortController();
  const abandoned = new AbortController();
  let endCode: number | undefined;

  process.on('SIGINT', () => {
    if (abandoned.signal.aborted) process.exit(130);
    if (interrupted.signal.aborted) abandoned.abort();
    interrupted.abort();
  });
  const end = (exitCode: number) => () => {
    if (endCode !== undefined) process.exit(exitCode);
    endCode = exitCode;
    setTimeout(() => process.exit(exitCode), endMs).unref();
    abandoned.abort();
    interrupted.abort();
  };
  process.on('SIGTERM', end(143));
  process.on('SIGHUP', end(129));
  // a reader that went away (`| head`) is no failure; writes report it to whoever writes
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});

  const { stdout, stderr, env } = process;
  const executable = isSea() ? process.execPath : resolve(process.argv[1]!);
  const program = basename(process.argv[1] ?? '').startsWith('kubectl-') ? 'kubectl nodeops' : 'nodeops';
  main(process.argv.slice(2), {
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env,
    program,
    executable,
    signal: interrupted.signal,
    abandon: abandoned.signal,
    now: () => new Date(),
  }).then(
    // sockets kept alive for a next request must not hold the shell
    (exitCode) => process.exit(endCode ?? exitCode),
  );
}

/** What most invocations need goes into the snapshot evaluated; TLS and HTTP cannot: Node does not serialize them. */
function warm(): Promise<unknown> {
  return Promise.all([
    import('yaml'),
    import('../../src/plugin/transport/kube/config.ts'),
    import('../../src/plugin/targets/resolve.ts'),
    import('../../src/plugin/client/ask.ts'),
    import('../../src/plugin/render/report.ts'),
    import('../../src/plugin/commands/views.ts'),
  ]);
}

if (startupSnapshot.isBuildingSnapshot()) {
  startupSnapshot.setDeserializeMainFunction(start);
  void warm();
} else start();
