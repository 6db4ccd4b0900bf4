import { NodeopsError } from '../../protocol/errors.ts';
import type { SetgcReply } from '../../protocol/replies.ts';
import { evaluateProbe, type LoadModule } from '../evaluate.ts';
import type { Reading, Subject } from '../subject.ts';

const range = { min: 1, max: 10_000 };

/**
 * Sets `--heap-growing-percent`: the next major collection comes when the heap has grown by so much since the last, as with
 * Go's GOGC. `off`, like 0, gives the decision back to V8. Throws `bad-request` for what is no such percentage.
 *
 * No flag for the young generation is set with it: `--semi-space-growth-factor`, `--min-semi-space-size` and
 * `--max-semi-space-size` were measured to change nothing in a process that runs (20 to 26); V8 reads them when it starts.
 */
export async function setgc(
  subject: Subject,
  { percent: text }: { percent?: string | undefined },
): Promise<Reading<SetgcReply>> {
  const percent = parsePercent(text);
  const inspector = await subject.inspector();
  const { previous } = await evaluateProbe(inspector, setgcProbe, { percent });
  return {
    data: { previous: previous || null, current: percent || null, note: describe(percent) },
    stuck: null,
    notes: [],
  };
}

/** 0 for `off`. */
export function parsePercent(text: string | undefined): number {
  const value = text === 'off' ? 0 : /^\d{1,6}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (value === 0 || (value >= range.min && value <= range.max)) return value;
  const given = text === undefined || text === '' ? "'percent' is missing" : `'percent' is '${text}'`;
  throw new NodeopsError('bad-request', `${given}; it takes a whole number from ${range.min} to ${range.max}, or off`);
}

function describe(percent: number): string {
  return percent === 0
    ? 'V8 decides again by itself when to collect: unlike Go, it cannot be told to stop collecting'
    : `major collections come when the heap has grown by about ${percent} % since the last, and earlier near the heap limit or under memory pressure; scavenges of young objects are not affected`;
}

/** V8 tells no flag's value: what was set is kept where it was set, and before that it is what Node was started with. */
function setgcProbe({ percent }: { percent: number }, load: LoadModule): { previous: number } {
  const key = Symbol.for('nodeops.setgc');
  const holder = globalThis as unknown as Record<symbol, number | undefined>;
  const flag = /(?:^|\s)--heap[-_]growing[-_]percent[=\s](\d+)/g;
  const flags = `${process.env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`;
  const started = [...flags.matchAll(flag)].pop();
  const previous = holder[key] ?? Number(started ? started[1] : 0);
  (load('v8') as typeof import('node:v8')).setFlagsFromString(`--heap-growing-percent=${percent}`);
  Object.defineProperty(holder, key, { value: percent, configurable: true });
  return { previous };
}
