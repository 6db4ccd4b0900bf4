/** Runs commands in turn, A B C A B C …, and says what each cost: wall time and peak memory of the whole process. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export interface Candidate {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface Cost {
  readonly name: string;
  /** milliseconds, one per counted run */
  readonly wall: number[];
  /** KiB, largest resident set of the process, as GNU time reports it */
  readonly peak: number[];
  failures: number;
}

const gnuTime = '/usr/bin/time';

/** `runs` counted rounds after one that is not, interleaved so that a drifting machine drifts for all. */
export async function interleave(candidates: readonly Candidate[], runs: number): Promise<Cost[]> {
  const costs = candidates.map(({ name }): Cost => ({ name, wall: [], peak: [], failures: 0 }));
  for (let round = -1; round < runs; round++) {
    for (const [index, candidate] of candidates.entries()) {
      const { wallMs, peakKib, code } = await once(candidate);
      if (round < 0) continue;
      const cost = costs[index]!;
      cost.wall.push(wallMs);
      if (peakKib !== null) cost.peak.push(peakKib);
      if (code !== 0) cost.failures++;
    }
  }
  return costs;
}

async function once({
  argv,
  env,
}: Candidate): Promise<{ wallMs: number; peakKib: number | null; code: number | null }> {
  const measured = existsSync(gnuTime) ? [gnuTime, '-f', 'peak=%M', ...argv] : [...argv];
  const started = process.hrtime.bigint();
  const child = spawn(measured[0]!, measured.slice(1), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  const wallMs = Number(process.hrtime.bigint() - started) / 1e6;
  const peak = /peak=(\d+)/.exec(stderr)?.[1];
  return { wallMs, peakKib: peak === undefined ? null : Number(peak), code };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Proportional set size of a process in KiB. */
export async function pssKib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]);
}

/** A Markdown table, the form docs/performance.md keeps. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n') + '\n';
}
