/** From survivors, growth and who keeps what: the report. Pure. */
import type { Grown, KeptBy, LeakLook, LeakSite } from '../../../protocol/leaks.ts';
import type { Census, Collection } from './keepers.ts';
import { frameKey, type SiteVerdict } from './survivors.ts';

/** Of what its sites seem to leak, what the live heap must grow by. */
const leastLiveShare = 0.3;
/** Entries by which a collection grows at least, and their share of what was there. */
const [leastEntries, leastShare] = [3, 0.01];
const keepersTold = 5;
/** What stays as large as it was may be a cache; fewer entries are settings. */
const leastCache = 64;

export interface Growth {
  readonly heapBytesPerSecond: number;
  readonly arrayBufferBytesPerSecond: number;
}

/** The first look follows a whole interval of sampling: what the app made once is there already. */
export function growthOf(looks: readonly LeakLook[]): Growth {
  const [first, last] = [looks[0], looks.at(-1)];
  const seconds = first && last ? (last.atMs - first.atMs) / 1000 : 0;
  if (!first || !last || seconds === 0) return { heapBytesPerSecond: 0, arrayBufferBytesPerSecond: 0 };
  return {
    heapBytesPerSecond: (last.heapUsedBytes - first.heapUsedBytes) / seconds,
    arrayBufferBytesPerSecond: (last.arrayBufferBytes - first.arrayBufferBytes) / seconds,
  };
}

export type Weighed = SiteVerdict & Pick<LeakSite, 'but' | 'keptBy'>;

/**
 * What survives at every age is a leak, or a cache that turns over more slowly than it was looked at: then the collection that keeps it
 * stays as large as it was, and so does the live heap.
 */
export function weigh(
  sites: readonly SiteVerdict[],
  half: Census | null,
  end: Census | null,
  growth: Growth,
): Weighed[] {
  const claimed = sites.reduce((sum, site) => sum + site.bytesPerSecond - site.externalBytesPerSecond, 0);
  const share = claimed > 0 ? growth.heapBytesPerSecond / claimed : 1;
  const lives = share >= leastLiveShare;
  return sites.map((site) => {
    const keptBy = keepersOf(site, half, end);
    const stays = keptBy.find(({ from, to }) => from !== null && to >= leastCache);
    const plain: Weighed = { ...site, but: null, keptBy };
    if (site.verdict !== 'leaks') return plain;
    const scaled = { ...plain, ...atMost(site, share) };
    if (keptBy.some(isGrowing)) return { ...scaled, certainty: Math.min(1, site.certainty + 0.2) };
    if (lives && !stays) return scaled;
    const none = { bytesPerSecond: 0, externalBytesPerSecond: 0 };
    const same = stays && `${stays.path} (${stays.kind}) has ${stays.to} entries as before`;
    if (!lives && same) return { ...plain, ...none, verdict: 'bounded', but: same };
    const but = same ?? 'the live heap does not grow: a cache that turns over slowly, or is just filled';
    return { ...plain, ...none, verdict: 'unclear', certainty: 0, but };
  });
}

/** No more is leaked than the live heap grows by: of a cache that is being filled some is in the survivors, too. */
function atMost({ bytesPerSecond, externalBytesPerSecond }: SiteVerdict, share: number) {
  const onHeap = (bytesPerSecond - externalBytesPerSecond) * Math.min(1, Math.max(leastLiveShare, share));
  return { bytesPerSecond: onHeap + externalBytesPerSecond };
}

export function isGrowing({ from, to }: KeptBy): boolean {
  return from !== null && to - from >= Math.max(leastEntries, from * leastShare);
}

/** Of the function to blame, or of the nearest caller that has one that grows. */
function keepersOf({ frames, blamed }: SiteVerdict, half: Census | null, end: Census | null): KeptBy[] {
  const keys = frames.slice(blamed).map(frameKey);
  const around = keys.map((key) => compared(half?.collections.get(key), end?.collections.get(key) ?? []));
  const all = around.find((collections) => collections.some(isGrowing)) ?? around[0]!;
  const once = [...new Map(all.map((kept) => [kept.path, kept])).values()];
  const grown = ({ from, to }: KeptBy) => (from === null ? 0 : to - from);
  return once.sort((a, b) => grown(b) - grown(a) || b.to - a.to).slice(0, keepersTold);
}

function compared(half: readonly Collection[] | undefined, end: readonly Collection[]): KeptBy[] {
  const before = new Map(half?.map(({ path, to }) => [path, to]));
  return end.map((collection) => ({ ...collection, from: before.get(collection.path) ?? null }));
}

/** Listeners, handles and modules that became more between the two. */
export function grownOf(half: [LeakLook, Census | null, number], end: [LeakLook, Census | null, number]): Grown[] {
  const grown: Grown[] = [];
  const compare = (what: Grown['what'], name: string, from: number, to: number): void => {
    if (to - from >= Math.max(leastEntries, from * leastShare)) grown.push({ what, name, from, to });
  };
  const listeners = new Map(half[1]?.listeners.map(({ name, count }) => [name, count]));
  if (half[1] && end[1])
    for (const { name, count } of end[1].listeners) compare('listeners', name, listeners.get(name) ?? 0, count);
  for (const [name, count] of Object.entries(end[0].handles))
    compare('handles', name, half[0].handles[name] ?? 0, count);
  compare('modules', 'require.cache', half[2], end[2]);
  return grown.sort((a, b) => b.to - b.from - (a.to - a.from));
}
