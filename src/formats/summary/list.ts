import { defaultColumn } from '../diff.ts';
import { type Granularity, type GraphNode, graphOf, place } from '../graph.ts';
import type { Profile } from '../model.ts';
import { formatValue, percentage } from '../units.ts';
import { type ReportOptions, text } from './report.ts';

/** The text of a source file, or undefined where it is not at hand. */
export type SourceLookup = (file: string) => string | undefined;

/** Lines shown before the first and after the last line with samples. */
const margin = 5;

/**
 * Annotated source of the functions whose name matches, as `go tool pprof -list`. V8 records the line of the innermost frame
 * only, so what a function called is counted at the line where the function begins.
 */
export function list(profile: Profile, pattern: RegExp, source: SourceLookup, options: ReportOptions = {}): string {
  const column = options.column ?? defaultColumn(profile);
  const { unit } = profile.sampleTypes[column]!;
  const total = profile.total(column);
  const value = (number: number) => (number === 0 ? '.' : formatValue(number, unit, options.unit ?? 'auto'));
  const row = (flat: number, cum: number, rest: string) =>
    `${value(flat).padStart(10)} ${value(cum).padStart(10)} ${rest}`;

  const routines = graphOf(profile, column, byRoutine(profile)).nodes.filter(({ name }) => {
    const [fn] = name.split('\0');
    return fn!.search(pattern) >= 0;
  });
  if (routines.length === 0) return `no function matches ${pattern.source}\n`;
  const perLine = linesOf(graphOf(profile, column, byLine(profile)).nodes);
  const output = [`Total: ${value(total)}`];
  for (const { name: key, flat, cum } of routines.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const [name, file] = key.split('\0') as [string, string];
    if (!file) {
      output.push(`No source information for ${name}`);
      continue;
    }
    output.push(
      `ROUTINE ======================== ${name} in ${place(file, 0)}`,
      row(flat, cum, `(flat, cum) ${percentage(cum, total)} of Total`),
    );
    const lines = perLine.get(key) ?? new Map<number, GraphNode>();
    const numbers = [...lines.keys()].filter((line) => line > 0).sort((a, b) => a - b);
    const code = source(file)?.split(/\r?\n/);
    if (code && numbers.length > 0) {
      const last = Math.min(numbers.at(-1)! + margin, code.length);
      for (let line = Math.max(1, numbers[0]! - margin); line <= last; line++)
        output.push(
          row(lines.get(line)?.flat ?? 0, lines.get(line)?.cum ?? 0, `${String(line).padStart(6)}:${code[line - 1]}`),
        );
    } else {
      output.push(` The source of ${place(file, 0)} is not at hand; lines with samples:`);
      for (const line of numbers)
        output.push(row(lines.get(line)!.flat, lines.get(line)!.cum, `${String(line).padStart(6)}:`));
    }
  }
  return text(output, options.widthColumns ?? 0);
}

/** Functions of one name in one file are one routine. */
function byRoutine(profile: Profile): Granularity {
  const keys = profile.frameFunction.map((id) => `${profile.functions[id]!.name}\0${profile.functions[id]!.file}`);
  return { keys, names: keys };
}

function byLine(profile: Profile): Granularity {
  const { keys } = byRoutine(profile);
  const names = keys.map((key, frame) => `${key}\0${profile.frameLine[frame]}`);
  return { keys: names, names };
}

function linesOf(nodes: readonly GraphNode[]): Map<string, Map<number, GraphNode>> {
  const routines = new Map<string, Map<number, GraphNode>>();
  for (const node of nodes) {
    const [name, file, line] = node.name.split('\0');
    const key = `${name}\0${file}`;
    let lines = routines.get(key);
    if (!lines) {
      lines = new Map();
      routines.set(key, lines);
    }
    lines.set(Number(line), node);
  }
  return routines;
}
