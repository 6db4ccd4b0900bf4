/** Writes src/proc/node-options.ts from what `node --help` of every version here says: `npm run node-options`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const nodes = ['node18', 'node20', 'node22', 'node', 'node26'];

/** Options that take the next word as their value where none stands behind a `=`, with their short and other names. */
export function withValueOf(node: string): string[] {
  const help = execFileSync(`node_modules/${node}/bin/node`, ['--help'], { encoding: 'utf8' });
  // those whose value is in brackets take it behind a `=` only
  const lines = help.matchAll(/^ {2}(-[^=[\n]*)=(?:\.\.\.|\[host:\]port)/gm);
  return [...lines].flatMap(([, names]) => names!.trim().split(', '));
}

if (import.meta.main) {
  const names = [...new Set(nodes.flatMap(withValueOf))].sort();
  const lines = names.map((name) => `  '${name}',`).join('\n');
  writeFileSync(
    'src/proc/node-options.ts',
    `/** Options of Node 18 to 26 that take the next word as their value. Written by \`npm run node-options\` from \`node --help\`; not edited by hand. */
export const optionsWithValue: ReadonlySet<string> = new Set([
${lines}
]);
`,
  );
}
