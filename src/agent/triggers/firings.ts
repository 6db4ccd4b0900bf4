/** When each rule fired, in a file beside what was captured: a cool-down holds across restarts, and for all processes of a container. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rule } from '../../protocol/triggers.ts';
import { type Kept, writeAtomically } from '../crash/kept.ts';
import { exclusively } from '../store/lock.ts';

const hourMs = 3_600_000;
const rulesKept = 64;
const bytes = 64 * 1024;

type Firings = Record<string, number[]>;

/** Whether a rule may fire now. */
export function mayFire(kept: Kept, rule: Rule, now = Date.now()): boolean {
  const fired = read(kept, now)[rule.text] ?? [];
  const last = fired.at(-1) ?? Number.NEGATIVE_INFINITY;
  return now - last >= rule.coolDownMs && fired.filter((at) => now - at < hourMs).length < rule.anHour;
}

/** When each rule last fired, by its text, in milliseconds since 1970. */
export function lastFirings(kept: Kept, now = Date.now()): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(read(kept, now)).flatMap(([text, times]): [string, number][] => {
      const last = times.at(-1);
      return last === undefined ? [] : [[text, last]];
    }),
  );
}

/**
 * Notes that a rule fires, in turn with the container's other processes; false where it may not by now.
 * Throws what the file system throws: a rule whose firing cannot be noted does not fire.
 */
export function noteFiring(kept: Kept, rule: Rule, now = Date.now()): boolean {
  return exclusively(kept.directory, () => {
    const may = mayFire(kept, rule, now);
    if (may) note(kept, rule, now);
    return may;
  });
}

function note(kept: Kept, rule: Rule, now: number): void {
  const all = read(kept, now);
  // more than are counted would never be looked at
  all[rule.text] = [...(all[rule.text] ?? []), now].slice(-Math.max(1, rule.anHour));
  const newest = Object.entries(all)
    .sort(([, one], [, other]) => (other.at(-1) ?? 0) - (one.at(-1) ?? 0))
    .slice(0, rulesKept);
  let text = JSON.stringify(Object.fromEntries(newest));
  // what is too large to be read again would forget every rule
  for (; text.length > bytes && newest.length > 1; text = JSON.stringify(Object.fromEntries(newest))) newest.pop();
  writeAtomically(path(kept), Buffer.from(text));
}

function path(kept: Kept): string {
  return join(kept.directory, 'triggers', '.fired.json');
}

function read(kept: Kept, now: number): Firings {
  try {
    const text = readFileSync(path(kept), 'utf8');
    const all: unknown = text.length > bytes ? {} : JSON.parse(text);
    if (typeof all !== 'object' || all === null) return {};
    return Object.fromEntries(
      Object.entries(all).flatMap(([rule, times]): [string, number[]][] =>
        // a clock that was set back must not silence a rule for ever
        Array.isArray(times) ? [[rule, times.filter((at) => Number.isFinite(at) && at <= now + 1_000)]] : [],
      ),
    );
  } catch {
    return {};
  }
}
