/** Findings of many processes in few lines: those that have the same answer are told together, those that differ after them. */
import type { Diagnosis } from './diagnose.ts';
import type { Finding } from './finding.ts';

export interface Named<T> {
  readonly name: T;
  readonly diagnosis: Diagnosis;
}

export interface Group<T> {
  /** Of its members the one that is worst; null where all of them are well. */
  readonly finding: Finding | null;
  readonly members: readonly Named<T>[];
}

/** Largest first; the well ones last. */
export function groupOf<T>(all: readonly Named<T>[]): Group<T>[] {
  const groups = new Map<string, Named<T>[]>();
  for (const each of all) {
    const key = keyOf(first(each));
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()]
    .map((members) => ({ finding: worstOf(members), members }))
    .toSorted((a, b) => Number(b.finding !== null) - Number(a.finding !== null) || b.members.length - a.members.length);
}

function first<T>({ diagnosis }: Named<T>): Finding | undefined {
  const [found] = diagnosis.findings;
  return found?.level === 'finding' ? found : undefined;
}

/** The same cause at the same place: figures differ, ports and lines of the same function may. */
function keyOf(found: Finding | undefined): string {
  if (!found) return '';
  return `${found.id}\n${found.place?.replaceAll(/:\d+/g, '') ?? ''}`;
}

function worstOf<T>(members: readonly Named<T>[]): Finding | null {
  const found = members.flatMap((each) => first(each) ?? []);
  return found.toSorted((a, b) => b.weight - a.weight)[0] ?? null;
}
