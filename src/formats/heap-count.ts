/**
 * How many objects a heap sample stands for. V8 tells each sample's bytes (object size × count) but not the two factors. It
 * samples every object of `size` bytes with probability p = 1 − e^(−size/interval) and lets it stand for ⌊1/p + ½⌋ objects, so
 * the factors are found by trying counts. Several sizes can give the same product: the smallest that is a common one is
 * taken. So the count is exact for large objects, and an estimate for small ones: within a factor of three for the usual
 * 24 to 128 bytes.
 */

/** V8 allocates in words: 8 bytes on 64-bit Node. */
const wordBytes = 8;
/** An object with its map, properties and elements; only numbers in a heap cell of their own are smaller. */
const commonBytes = 3 * wordBytes;
const known = new Map<string, number>();
/** Products remembered; the profile of a real program has some hundred. */
const limitKnown = 10_000;

/** Objects that a sample of `bytes` stands for; at least 1. */
export function estimateCount(bytes: number, intervalBytes: number): number {
  const key = `${bytes}/${intervalBytes}`;
  let count = known.get(key);
  if (count === undefined) {
    if (known.size >= limitKnown) known.clear();
    count = find(bytes, intervalBytes);
    known.set(key, count);
  }
  return count;
}

function find(bytes: number, interval: number): number {
  if (interval <= 0) return 1;
  let fitting = 0;
  // no object of a word or more stands for more than this many
  const most = Math.min(bytes / wordBytes, interval / wordBytes + 1);
  for (let count = 1; count <= most; count++) {
    const size = bytes / count;
    if (size < commonBytes && fitting > 0) break;
    if (size % wordBytes === 0 && Math.floor(standsFor(size, interval) + 0.5) === count) fitting = count;
  }
  if (fitting > 0) return fitting;
  // no exact factors (another rounding): for small objects bytes ≈ interval + size / 2
  const size = Math.max(2 * wordBytes, 2 * (bytes - interval));
  return Math.max(1, Math.round(bytes / Math.min(size, bytes)));
}

function standsFor(size: number, interval: number): number {
  return 1 / (1 - Math.exp(-size / interval));
}

/**
 * The sampling interval of a profile that does not tell it: no sample stands for less than the interval, and small objects
 * for hardly more. Powers of two, which is what everybody uses, are recognised. 0 without samples.
 */
export function guessInterval(sampleBytes: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const bytes of sampleBytes) if (bytes > 0 && bytes < least) least = bytes;
  if (least === Number.POSITIVE_INFINITY) return 0;
  const power = 2 ** Math.floor(Math.log2(least));
  return least < power * 1.1 ? power : least;
}
