/** When each rule fired, in a file beside what was captured: a cool-down holds across restarts, and for all processes of a container. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kept, writeAtomically } from '../crash/kept.ts';
import type { Rule } from './grammar.ts';

const hourMs = 3_600_000;
const rulesKept = 64;
const bytes = 64 * 1024;

type Firings = Record<string, number[]>;

/** Whether a rule may fire now. */
export function mayFire(kept: Kept, rule: Rule, now = Date.now()): boolean {
  const fired = read(kept)[rule.text] ?? [];
  const last = fired.at(-1) ?? Number.NEGATIVE_INFINITY;
  return now - last >= rule.coolDownMs && fired.filter((at) => now - at < hourMs).length < rule.anHour;
}

/** Throws what the file system throws: a rule whose firing cannot be noted does not fire. */
export function noteFiring(kept: Kept, rule: Rule, now = Date.now()): void {
  const all = read(kept);
  all[rule.text] = [...(all[rule.text] ?? []).filter((at) => now - at < Math.max(hourMs, rule.coolDownMs)), now].slice(
    -1_000,
  );
  const newest = Object.entries(all)
    .sort(([, one], [, other]) => (other.at(-1) ?? 0) - (one.at(-1) ?? 0))
    .slice(0, rulesKept);
  writeAtomically(path(kept), Buffer.from(JSON.stringify(Object.fromEntries(newest))));
}

function path(kept: Kept): string {
  return join(kept.directory, 'triggers', '.fired.json');
}

function read(kept: Kept): Firings {
  try {
    const text = readFileSync(path(kept), 'utf8');
    const all: unknown = text.length > bytes ? {} : JSON.parse(text);
    if (typeof all !== 'object' || all === null) return {};
    return Object.fromEntries(
      Object.entries(all).flatMap(([rule, times]): [string, number[]][] =>
        // a clock that was set back must not silence a rule for ever
        Array.isArray(times) ? [[rule, times.filter((at) => Number.isFinite(at) && at <= Date.now() + 1_000)]] : [],
      ),
    );
  } catch {
    return {};
  }
}
