import type { Grown, KeptBy, LeakLook, LeakSite, LeaksReport } from '../leaks.ts';
import { bytesShort, counted, duration } from './quantities.ts';

/** Of each verdict. */
const sitesShown = { leaks: 20, unclear: 5, bounded: 5 };
const callersShown = 4;
/** Bytes a second. */
const leastBufferGrowth = 16 * 1024;
const leastLiveBytes = 64 * 1024;

/** Leaks first, then what was looked at and is not one. */
export function leaksText(report: LeaksReport): string[] {
  const { windowMs, looks, heapBytesPerSecond, arrayBufferBytesPerSecond, sites, grown, leastBytesPerSecond } = report;
  const of = (verdict: LeakSite['verdict']) => sites.filter((site) => site.verdict === verdict);
  const leaking = of('leaks');
  const live = (site: LeakSite) => sum(site.survivorBytes) >= leastLiveBytes;
  const others = (['unclear', 'bounded'] as const).flatMap((verdict) =>
    of(verdict)
      .filter(live)
      .sort((a, b) => sum(b.survivorBytes) - sum(a.survivorBytes))
      .slice(0, sitesShown[verdict]),
  );
  return [
    `watched for ${duration(windowMs)}, ${counted(looks.length, 'forced collection')}: what is live grows by ${rate(heapBytesPerSecond)} on the heap${elsewhere(arrayBufferBytesPerSecond)}${range(looks)}`,
    '',
    ...(leaking.length === 0
      ? [`no function was seen to keep ever more; less than ${bytesShort(leastBytesPerSecond)}/s is not seen`]
      : leaking.slice(0, sitesShown.leaks).flatMap(siteLines)),
    ...unseenBuffers(report, leaking),
    ...(leaking.length > sitesShown.leaks ? [`and ${leaking.length - sitesShown.leaks} more`] : []),
    ...(others.length > 0 ? ['', 'looked at, and not told to leak:', ...others.map(otherLine)] : []),
    ...(grown.length > 0
      ? ['', `grew within ${duration(report.grownOverMs)}:`, ...grown.slice(0, 10).map(grownLine)]
      : []),
  ];
}

function siteLines(site: LeakSite): string[] {
  const { bytesPerSecond, externalBytesPerSecond, certainty, frames, survivorBytes, samples, keptBy } = site;
  const buffers = externalBytesPerSecond > 0 ? `, ${rate(externalBytesPerSecond)} of it in ArrayBuffers` : '';
  const { blamed } = site;
  const callers = frames.slice(blamed + 1);
  return [
    `leaks ${rate(bytesPerSecond)}${buffers}: ${place(frames[blamed]!)}, ${sureness(certainty)}`,
    ...(blamed > 0 ? [`    allocated in ${frames.slice(0, blamed).map(place).join(' ← ')}`] : []),
    ...(callers.length > 0 ? [`    called by ${callers.slice(0, callersShown).map(place).join(' ← ')}`] : []),
    ...growingFirst(keptBy).map((kept) => `    kept by ${keptText(kept)}`),
    `    live by age, oldest first: ${survivorBytes.map(bytesShort).join(' ')} (${counted(samples, 'sample')})`,
  ];
}

/** A buffer's object on the heap is small, and easily missed by samples. */
function unseenBuffers(
  { arrayBufferBytesPerSecond, samplingIntervalBytes }: LeaksReport,
  leaking: readonly LeakSite[],
) {
  const told = sum(leaking.map(({ externalBytesPerSecond }) => externalBytesPerSecond));
  if (arrayBufferBytesPerSecond < leastBufferGrowth || told > arrayBufferBytesPerSecond / 2) return [];
  return [
    `who makes the ArrayBuffers that grow is not among the samples: a shorter --interval than ${samplingIntervalBytes}, or a longer --for, sees smaller objects`,
  ];
}

/** What grows is told; without any, what could keep it. */
function growingFirst(keptBy: readonly KeptBy[]): readonly KeptBy[] {
  const growing = keptBy.filter(({ from, to }) => from !== null && to > from);
  return growing.length > 0 ? growing.slice(0, 2) : [];
}

function keptText({ path, kind, from, to }: KeptBy): string {
  return `${path} (${kind}, ${from === null ? '' : `${from} → `}${to} entries)`;
}

function otherLine({ verdict, frames: [own], survivorBytes, but }: LeakSite): string {
  const young = [...survivorBytes].reverse().indexOf(0);
  const why =
    but ??
    (verdict === 'bounded'
      ? `nothing older than ${counted(Math.max(1, young), 'interval')}`
      : 'too few samples, or not at every age');
  return `    ${verdict} ${own ? place(own) : '(no function)'}: ${bytesShort(sum(survivorBytes))} live; ${why}`;
}

function grownLine({ what, name, from, to }: Grown): string {
  return `    ${what === 'modules' ? '' : `${what}: `}${name} ${from} → ${to}`;
}

function place({ function: name, file, line }: LeakSite['frames'][number]): string {
  return `${name} (${file}:${line})`;
}

function sureness(certainty: number): string {
  return `${certainty >= 0.8 ? 'certain' : certainty >= 0.5 ? 'likely' : 'possible'} (${Math.round(certainty * 100)} %)`;
}

function elsewhere(bytesPerSecond: number): string {
  return Math.abs(bytesPerSecond) < 1 ? '' : `, ${rate(bytesPerSecond)} in ArrayBuffers`;
}

function range(looks: readonly LeakLook[]): string {
  const [first, last] = [looks[0], looks.at(-1)];
  return first && last ? ` (heap ${bytesShort(first.heapUsedBytes)} → ${bytesShort(last.heapUsedBytes)})` : '';
}

function rate(bytesPerSecond: number): string {
  return `${bytesPerSecond < 0 ? '−' : ''}${bytesShort(Math.abs(bytesPerSecond))}/s`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
