/** The known word that was likely meant; undefined when none is near. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const typed = word.slice(0, 100).toLowerCase();
  const near = known
    .map((name) => ({ name, distance: name.endsWith(`-${typed}`) ? 1 : edits(typed, name) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near && near.distance <= Math.max(2, near.name.length / 3) ? near.name : undefined;
}

/** Letters to insert, remove or change (Levenshtein). */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
