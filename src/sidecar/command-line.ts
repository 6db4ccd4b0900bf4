/** What a Node process runs, from its command line. */
import { basename } from 'node:path';

/** Node's options whose value is the next argument. */
const withValue =
  /^(?:-r|--require|--import|-C|--conditions|--loader|--experimental-loader|-e|--eval|-p|--print|-pe|--env-file|--title|--icu-data-dir|--openssl-config|--redirect-warnings|--trace-event-categories|--test-name-pattern|--watch-path|--input-type|--max-http-header-size|--diagnostic-dir|--disable-proto|--dns-result-order|--stack-trace-limit|--unhandled-rejections|--secure-heap)$/;
const evaluates = /^(?:-e|-p|-pe|--eval|--print)(?:=|$)/;

/** The script's path as it was given; undefined for code on the command line, or where the process gave itself a title. */
export function scriptOf(argv: readonly string[]): string | undefined {
  for (let i = 1; i < argv.length; i++) {
    const argument = argv[i]!;
    if (evaluates.test(argument)) return undefined;
    if (argument === '--') return argv[i + 1];
    if (!argument.startsWith('-')) return argument || undefined;
    if (withValue.test(argument)) i++;
  }
  return undefined;
}

/** As an agent in it would name it: the script's file name, its title, or `node`. */
export function nameOf(argv: readonly string[]): string {
  const [first = 'node'] = argv;
  // a title takes the place of the whole command line
  if (!isNodeName(basename(first))) return first.split(/[\s:]/, 1)[0]!.slice(0, 256) || 'node';
  return basename(scriptOf(argv) ?? 'node').slice(0, 256);
}

export function isNodeName(name: string): boolean {
  return /^(?:node|nodejs)(?:[-\d.]|$)/.test(name.replace(/ \(deleted\)$/, ''));
}
