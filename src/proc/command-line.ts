/** What a Node process runs, told from its command line: for the agent's files, the sidecar and the plugin alike. */
import { basename, resolve } from 'node:path';
import { optionsWithValue } from './node-options.ts';

const evaluates = /^(?:-e|-p|-pe|--eval|--print|--run)(?:=|$)/;
const nameLength = 256;

/** Node's own arguments, and where the script begins; everything from there on is the app's. */
function split(argv: readonly string[]): { readonly options: string[]; readonly script: string | undefined } {
  const options: string[] = [];
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') return { options, script: argv[i + 1] };
    if (!word.startsWith('-')) return { options, script: word || undefined };
    if (word === '-') return { options, script: undefined };
    options.push(word);
    if (evaluates.test(word)) return { options: [...options, ...argv.slice(i + 1)], script: undefined };
    // Node reads --cpu_prof_dir as --cpu-prof-dir
    const takesNext = optionsWithValue.has(word.startsWith('--') ? word.replaceAll('_', '-') : word);
    if (takesNext && ++i < argv.length) options.push(argv[i]!);
  }
  return { options, script: undefined };
}

/** The script that a Node process runs, as it was typed; undefined for `node -e`, a prompt, or stdin. */
export function scriptOf(argv: readonly string[]): string | undefined {
  return split(argv).script;
}

/** The words before the script: Node's options and their values. */
export function nodeArgumentsOf(argv: readonly string[]): string[] {
  return split(argv).options;
}

/** Whether an executable's file name is Node's: `node`, `nodejs`, `node20`, `node-22.3`; not `node-exporter`. */
export function isNodeName(name: string): boolean {
  return /^node(?:js)?(?:[-.]?v?\d[-.\d]*)?(?:\.exe)?$/.test(name.replace(/ \(deleted\)$/, ''));
}

/** As an agent in it would name it: the script's file name, its title, or `node`. */
export function nameOf(argv: readonly string[]): string {
  const [first = 'node'] = argv;
  // a title takes the place of the whole command line
  if (!isNodeName(basename(first))) return first.split(/[\s:]/, 1)[0]!.slice(0, nameLength) || 'node';
  return basename(scriptOf(argv) ?? 'node').slice(0, nameLength);
}

export interface Called {
  /** File name of the script, the title the process has given itself, or the file name of the executable. */
  readonly name: string;
  /** Its path, from the process's directory. */
  readonly path: string;
}

/** What a process is called, with the path of its script. */
export function called(argv: readonly string[], executable: string, directory: string | undefined): Called {
  const script = scriptOf(argv);
  if (script === undefined)
    return { name: isNodeName(basename(executable)) ? nameOf(argv) : basename(executable), path: executable };
  return { name: basename(script), path: directory === undefined ? script : resolve(directory, script) };
}
