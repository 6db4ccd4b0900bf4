import { defaultColumn } from '../diff.ts';
import { place } from '../graph.ts';
import { emptyStack, type Profile } from '../model.ts';
import { formatValue, percentage } from '../units.ts';
import { type ReportOptions, text } from './report.ts';

/** Boxes with less than this share of the total are left out. */
const leastShare = 0.005;
const limitRows = 300;
const barColumns = 20;
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

interface Box {
  readonly name: string;
  value: number;
  readonly callees: Map<string, Box>;
}

/** A flame graph for a terminal: every call path a row, as wide as its share, callees below their callers, the largest first. */
export function flame(profile: Profile, options: Pick<ReportOptions, 'column' | 'unit' | 'widthColumns'> = {}): string {
  const column = options.column ?? defaultColumn(profile);
  const { unit } = profile.sampleTypes[column]!;
  const root = boxes(profile, column);
  const rows: string[] = [];
  const queue: { box: Box; depth: number }[] = [{ box: root, depth: 0 }];
  for (let next = queue.pop(); next && rows.length < limitRows; next = queue.pop()) {
    const { box, depth } = next;
    const bar = barOf(box.value / (root.value || 1)).padEnd(barColumns);
    const value = formatValue(box.value, unit, options.unit ?? 'auto').padStart(9);
    rows.push(`${value} ${percentage(box.value, root.value)} ${bar} ${' '.repeat(depth)}${box.name}`);
    const callees = [...box.callees.values()].filter((callee) => callee.value >= root.value * leastShare);
    // the last pushed is the next shown
    for (const callee of callees.sort((a, b) => a.value - b.value)) queue.push({ box: callee, depth: depth + 1 });
  }
  if (queue.length > 0) rows.push(`Not shown: ${queue.length} more call paths`);
  return text(rows, options.widthColumns ?? 0);
}

function barOf(share: number): string {
  const width = Math.max(0, Math.min(1, share)) * barColumns;
  return '█'.repeat(Math.floor(width)) + eighths[Math.floor((width % 1) * 8)]!;
}

function boxes(profile: Profile, column: number): Box {
  const names = profile.functions.map(({ name, file, line }) => [name, place(file, line)].filter(Boolean).join(' '));
  const root: Box = { name: 'all', value: 0, callees: new Map() };
  const ofStack: Box[] = [root];
  for (let stack = 1; stack < profile.stackParent.length; stack++) {
    const caller = ofStack[profile.stackParent[stack]!]!;
    const name = names[profile.frameFunction[profile.stackFrame[stack]!]!]!;
    let box = caller.callees.get(name);
    if (!box) {
      box = { name, value: 0, callees: new Map() };
      caller.callees.set(name, box);
    }
    ofStack.push(box);
  }
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const value = profile.values[column]![sample]!;
    root.value += value;
    for (let stack = profile.sampleStack[sample]!; stack !== emptyStack; stack = profile.stackParent[stack]!)
      ofStack[stack]!.value += value;
  }
  return root;
}
