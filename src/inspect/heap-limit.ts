/** The heap limit that V8 dies at. Plain enough to run on an app's main thread. */
import { getHeapStatistics } from 'node:v8';

const mega = 1024 * 1024;
/** MB that V8 gives the old generation at least, unless it is told otherwise. */
const leastOld = 256;

export interface HeapOptions {
  /** What V8 calls `heap_size_limit`: the old generation's limit and three semi-spaces, the reserve of the young one. */
  readonly reservedBytes: number;
  /** Options that the process was started with, as one text. */
  readonly options: string;
  /** `process.versions.v8` */
  readonly v8: string;
}

/**
 * Bytes that the old generation may grow to: "Reached heap limit" comes when it would pass them, whatever the young one has left. V8 does
 * not tell them, and counts the young generation's reserve in what it does tell: 48, 96 or 192 MB of 112, 160 or 256. So the semi-space's
 * size is told from options, else from V8's own rule (measured on 20 to 26, with memory of 128 MB to 24 GB).
 */
export function oldSpaceLimit({ reservedBytes, options, v8 }: HeapOptions): number {
  const last = (name: string): number =>
    Number(
      [...options.matchAll(new RegExp(`--${name.replaceAll('-', '[-_]')}[= ](\\d+(?:\\.\\d+)?)`, 'g'))].at(-1)?.[1] ??
        0,
    );
  const old = last('max-old-space-size');
  if (old > 0) return Math.min(reservedBytes, old * mega);
  const semi = last('max-semi-space-size');
  if (semi > 0) return Math.max(0, reservedBytes - 3 * powerOfTwo(semi) * mega);
  return reservedBytes - 3 * standardSemi(reservedBytes, v8, last('max-old-space-size-percentage') > 0);
}

/** V8 makes a semi-space a share of the old generation, rounded up to a power of two, up to a size of its version. */
function standardSemi(reservedBytes: number, v8: string, explicit: boolean): number {
  const major = Number.parseInt(v8, 10);
  // Node 20 and 22 have V8 11 and 12, 24 has 13, 26 has 14
  const [largest, share] = major >= 14 ? [32, 64] : major === 13 ? [64, 32] : [16, 128];
  if (explicit) return largest * mega;
  const reserved = reservedBytes / mega;
  // of little memory it is 256 MB and whatever is left for the young one
  const atLeast = reserved > leastOld ? leastOld : 1;
  for (let semi = largest; semi >= 1; semi /= 2) {
    const old = reserved - 3 * semi;
    if (old >= atLeast && Math.min(largest, powerOfTwo(old / share)) === semi) return semi * mega;
  }
  return reserved > leastOld ? ((reserved - leastOld) / 3) * mega : mega;
}

function powerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(0.5, value)));
}

let own: number | undefined;

/** Of the process that this runs in; it does not change. */
export function ownHeapLimit(): number {
  if (own !== undefined) return own;
  const options = `${process.env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`;
  own = oldSpaceLimit({ reservedBytes: getHeapStatistics().heap_size_limit, options, v8: process.versions.v8 });
  return own;
}
