/** gops' own ways to type things, put into ours before anything else reads them. */

const duration = /^\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h)$/;
const processNames = new Set(['process', 'pid', 'proc']);

/**
 * `nodeops` lists (`kubectl nodeops` shows help, as plugins do), `nodeops PID [DURATION]` is `process PID --duration DURATION`,
 * and so is `process PID DURATION`. A bare number after the first PID is seconds, as with gops; after `process` it is one more PID.
 */
export function fromGops(argv: readonly string[], program: string): string[] {
  const [first, second, third, ...rest] = argv;
  if (first === undefined) return program.includes(' ') ? [] : ['list'];
  if (/^\d+$/.test(first)) {
    // a word there that is no duration is refused as one; HOST:PORT and pod/NAME are targets, and -x is a flag
    if (second === undefined || /^-|[:/]/.test(second)) return ['process', ...argv];
    return ['process', first, '--duration', second, ...argv.slice(2)];
  }
  if (processNames.has(first) && /^\d+$/.test(second ?? '') && duration.test(third ?? ''))
    return ['process', second!, '--duration', third!, ...rest];
  return [...argv];
}
