/**
 * `npm test`: checks, builds and runs every test. `npm test -- --changed [REF]`: only the tests that what changed since REF (a commit; the
 * last one unless said) can reach, by imports, bundles and files they name; with `--project pure` in seconds. Whatever else is given is
 * vitest's.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { Graph, sourceFiles } from '../test/bed/graph.ts';
import { kindOf } from '../test/bed/kinds.ts';

const args = process.argv.slice(2);
const at = args.indexOf('--changed');
let files: string[] | undefined;
if (at >= 0) {
  const [, ref] = args.splice(at, args[at + 1]?.startsWith('-') === false ? 2 : 1);
  const project = args[args.indexOf('--project') + 1];
  const graph = new Graph();
  files = testsOf(changedSince(ref ?? 'HEAD')).filter(
    (file) => !args.includes('--project') || kindOf(file, graph) === project,
  );
  process.stdout.write(files.length === 0 ? 'no test is reached by what changed\n' : `${files.join('\n')}\n`);
}
run('npm', 'run', '--silent', 'check');
if (files?.length !== 0) {
  const graph = new Graph();
  if (!files?.every((file) => kindOf(file, graph) === 'pure')) run('npm', 'run', '--silent', 'build');
  run('vitest', 'run', ...(files ?? []), ...args);
}

function run(command: string, ...given: readonly string[]): void {
  const { status } = spawnSync(command, given, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

function changedSince(ref: string): ReadonlySet<string> {
  const git = (...given: readonly string[]) => execFileSync('git', given, { encoding: 'utf8' }).split('\n');
  const names = [...git('diff', '--name-only', ref), ...git('ls-files', '--others', '--exclude-standard')];
  return new Set(names.filter((name) => name !== ''));
}

/** Programs that tests start are reached by name only where that is a TypeScript file: what else changed is for a whole run. */
function testsOf(changed: ReadonlySet<string>): string[] {
  const graph = new Graph();
  const tests = sourceFiles().filter((file) => file.endsWith('.test.ts'));
  return tests.filter((test) => [...graph.reached(test)].some((file) => changed.has(file)));
}
