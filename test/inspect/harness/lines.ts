import { readFileSync } from 'node:fs';

/** The line, from 1, on which a file has that text first. */
export function lineOf(file: string, text: string): number {
  const at = readFileSync(file, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text));
  if (at < 0) throw new Error(`${file} has no '${text}'`);
  return at + 1;
}
