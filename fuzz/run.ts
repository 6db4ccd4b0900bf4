/** npm run fuzz -- TARGET [--for 60s] [--seed N]: saves the first input that does harm, and exits 1. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { targets } from './targets/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { for: { type: 'string', default: '60s' }, seed: { type: 'string', default: '1' } },
});
const target = targets[positionals[0] ?? ''];
const [, number, unit] = /^(\d+)(s|m|h)$/.exec(values.for) ?? [];
if (!target || unit === undefined) {
  process.stderr.write(`npm run fuzz -- TARGET [--for 60s] [--seed N]; targets: ${Object.keys(targets).join(', ')}\n`);
  process.exit(2);
}
const forMs = Number(number) * { s: 1_000, m: 60_000, h: 3_600_000 }[unit as 's' | 'm' | 'h'];
const { inputs, found } = fuzz(target, { forMs, seed: Number(values.seed) });
process.stdout.write(`${positionals[0]}: ${inputs} inputs\n`);
if (found) {
  const path = `fuzz-${positionals[0]}-${inputs}.bin`;
  writeFileSync(path, found.input);
  process.stdout.write(`${found.problem}\nsaved ${path}\n`);
  process.exit(1);
}
