/** Values with units, written as pprof writes them. */

interface Unit {
  readonly name: string;
  readonly aliases: readonly string[];
  /** How many of the smallest unit of its family. */
  readonly factor: number;
}

const families: readonly { readonly units: readonly Unit[]; readonly fallback: string }[] = [
  {
    fallback: 'B',
    units: [
      { name: 'B', aliases: ['b', 'byte'], factor: 1 },
      { name: 'kB', aliases: ['kb', 'kbyte', 'kilobyte'], factor: 2 ** 10 },
      { name: 'MB', aliases: ['mb', 'mbyte', 'megabyte'], factor: 2 ** 20 },
      { name: 'GB', aliases: ['gb', 'gbyte', 'gigabyte'], factor: 2 ** 30 },
      { name: 'TB', aliases: ['tb', 'tbyte', 'terabyte'], factor: 2 ** 40 },
      { name: 'PB', aliases: ['pb', 'pbyte', 'petabyte'], factor: 2 ** 50 },
    ],
  },
  {
    fallback: 's',
    units: [
      { name: 'ns', aliases: ['ns', 'nanosecond'], factor: 1 },
      { name: 'us', aliases: ['us', 'μs', 'microsecond'], factor: 1e3 },
      { name: 'ms', aliases: ['ms', 'millisecond'], factor: 1e6 },
      { name: 's', aliases: ['s', 'sec', 'second'], factor: 1e9 },
      { name: 'hrs', aliases: ['hour', 'hr'], factor: 3600e9 },
    ],
  },
];

/** A value in another unit; `auto` chooses the largest in which it is at least 1. `unit` is empty for plain counts. */
export function scale(value: number, from: string, to: string): { value: number; unit: string } {
  for (const { units, fallback } of families) {
    const source = find(units, from);
    if (!source) continue;
    const smallest = value * source.factor;
    const target =
      (to === 'auto' ? units.findLast(({ factor }) => Math.abs(smallest) / factor >= 1) : find(units, to)) ??
      units.find(({ name }) => name === fallback)!;
    return { value: smallest / target.factor, unit: target.name };
  }
  return { value, unit: ['auto', 'count', 'sample', 'unit'].includes(to) ? '' : to };
}

function find(units: readonly Unit[], name: string): Unit | undefined {
  const lower = name.toLowerCase();
  const singular = lower.length > 2 ? lower.replace(/s$/, '') : lower;
  return units.find(({ aliases }) => aliases.includes(singular));
}

/** `1.10s`, `62.50MB`, `150`: two decimals unless they are zero. */
export function formatValue(value: number, from: string, to: string): string {
  const scaled = scale(value, from, to);
  const text = scaled.value.toFixed(2).replace(/\.00$/, '');
  return text === '0' || text === '-0' ? '0' : text + scaled.unit;
}

/** One unit for a whole report: that of the smallest value, or a larger one in which it can still be seen (0.01). */
export function reportUnit(values: readonly number[], total: number, unit: string): string {
  let least = 0;
  for (const value of values) if (value !== 0 && (least === 0 || Math.abs(value) < least)) least = Math.abs(value);
  const most = Math.abs(total);
  if (least === 0) least = most;
  const small = scale(least, unit, 'auto').unit;
  const large = scale(most, unit, 'auto').unit;
  const chosen = small !== large && least * 100 < most ? scale(least * 100, unit, 'auto').unit : small;
  return chosen || unit;
}

/** A share of a total in six columns: `  100%`, `63.37%`, ` 0.89%`, `    0%`; without sign. */
export function percentage(value: number, total: number): string {
  const percent = total === 0 ? 0 : Math.abs(value / total) * 100;
  if (percent >= 99.95 && percent <= 100.05) return '  100%';
  return `${(percent >= 1 ? percent.toFixed(2) : twoDigits(percent)).padStart(5)}%`;
}

/** C's `%.2g` for numbers below 1. */
function twoDigits(value: number): string {
  if (value === 0) return '0';
  if (value >= 1e-4) return String(Number(value.toPrecision(2)));
  const [digits, exponent] = value.toExponential(1).split('e-');
  return `${digits!.replace(/\.0$/, '')}e-${exponent!.padStart(2, '0')}`;
}
