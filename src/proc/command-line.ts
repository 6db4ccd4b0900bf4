import { basename, resolve } from 'node:path';

/** Options of Node that take the next word as their value. Others take it after `=`, or none. */
const withValue = new Set([
  ...['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--env-file'],
  ...['--env-file-if-exists', '--title', '--input-type', '--watch-path', '--icu-data-dir', '--openssl-config'],
  ...[
    '--inspect-port',
    '--debug-port',
    '--diagnostic-dir',
    '--redirect-warnings',
    '--disable-warning',
    '--dns-result-order',
  ],
  ...['--unhandled-rejections', '--trace-event-categories', '--trace-event-file-pattern', '--max-http-header-size'],
  ...[
    '--secure-heap',
    '--secure-heap-min',
    '--tls-cipher-list',
    '--tls-keylog',
    '--stack-trace-limit',
    '--experimental-default-type',
  ],
  ...[
    '--cpu-prof-dir',
    '--cpu-prof-name',
    '--cpu-prof-interval',
    '--heap-prof-dir',
    '--heap-prof-name',
    '--heap-prof-interval',
  ],
  ...[
    '--report-dir',
    '--report-directory',
    '--report-filename',
    '--report-signal',
    '--heapsnapshot-signal',
    '--localstorage-file',
  ],
  ...[
    '--test-reporter',
    '--test-reporter-destination',
    '--test-name-pattern',
    '--test-concurrency',
    '--experimental-config-file',
  ],
  ...[
    '--allow-fs-read',
    '--allow-fs-write',
    '--heapsnapshot-near-heap-limit',
    '--snapshot-blob',
    '--build-snapshot-config',
  ],
]);
const evaluates = /^(?:-e|-p|-pe|--eval|--print)(?:=|$)/;

/** The script that a Node process runs, as it was typed; undefined for `node -e`, a prompt, or stdin. */
export function scriptOf(argv: readonly string[]): string | undefined {
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return argv[i + 1];
    if (!word.startsWith('-')) return word || undefined;
    if (word === '-' || evaluates.test(word)) return undefined;
    if (withValue.has(word)) i++;
  }
  return undefined;
}

export interface Called {
  /** File name of the script, or of the executable where there is none. */
  readonly name: string;
  /** Its path, from the process's directory. */
  readonly path: string;
}

/** What a process is called: as an agent calls itself, by its script. */
export function called(argv: readonly string[], executable: string, directory: string | undefined): Called {
  const script = scriptOf(argv);
  if (script === undefined) return { name: basename(executable), path: executable };
  return { name: basename(script), path: directory === undefined ? script : resolve(directory, script) };
}
