/** What triggers leave behind: captures, and the list of firings that cool-downs are kept by. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../bed.ts';

export const folderIn = (volume: string) => join(volume, `nodeops-${process.getuid!()}`, 'triggers');

/** Names of what was captured. */
export function capturedIn(volume: string): string[] {
  return readdirSync(folderIn(volume)).filter((name) => !name.startsWith('.'));
}

/** When a rule fired, in milliseconds since 1970. */
export function firingsIn(volume: string, rule: string): number[] {
  try {
    return JSON.parse(readFileSync(join(folderIn(volume), '.fired.json'), 'utf8'))[rule] ?? [];
  } catch {
    // nothing has fired
    return [];
  }
}

/** As if rules had fired then. */
export function writeFirings(volume: string, firings: Record<string, number[]>): void {
  mkdirSync(folderIn(volume), { recursive: true, mode: 0o700 });
  writeFileSync(join(folderIn(volume), '.fired.json'), JSON.stringify(firings));
}

/** What the agent says of its triggers; of one process where the pod has several. */
export async function triggersOf(process?: number) {
  const { body } = await ask(process === undefined ? 'artifacts' : `artifacts?process=${process}`);
  return body.data.triggers as {
    rules: { rule: string; source: string; firedAt: string | null }[];
    lasting: boolean;
    errors: string[];
  } | null;
}
