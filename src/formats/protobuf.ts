/** The frame of a pprof message, checked before anything is made of it: that it is whole, and how much there is of everything. */
import { NodeopsError } from '../protocol/errors.ts';

/** Highest field number of profile.proto's Profile message (doc_url). */
const lastField = 15;
const sampleField = 2;

/** Most there may be of a field; a profile of a large Go service has some ten thousand of each. */
const limits: Readonly<Record<number, { readonly name: string; readonly limit: number }>> = {
  1: { name: 'sample types', limit: 64 },
  2: { name: 'samples', limit: 2_000_000 },
  3: { name: 'mappings', limit: 100_000 },
  4: { name: 'locations', limit: 1_000_000 },
  5: { name: 'functions', limit: 1_000_000 },
  6: { name: 'strings', limit: 2_000_000 },
  13: { name: 'comments', limit: 10_000 },
};
/** Bytes of all samples: a location or a value takes one at least, and eight in memory. */
const limitSampleBytes = 64 * 1024 * 1024;

/** Throws `failed` when the bytes are no sequence of whole fields of a pprof profile, `too-large` for too much of anything. */
export function checkFraming(bytes: Uint8Array): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (at >= bytes.length)
        throw new NodeopsError('failed', `the pprof profile is damaged: it is cut off after ${bytes.length} bytes`);
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new NodeopsError('failed', `the pprof profile is damaged: a number at byte ${at} does not end`);
  };
  const counts = new Array<number>(lastField + 1).fill(0);
  let sampleBytes = 0;
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (field < 1 || field > lastField || (wire !== 0 && wire !== 2))
      throw new NodeopsError('failed', `this is not a pprof profile (byte ${start} begins no field of one)`);
    const length = varint();
    if (wire === 2) at += length;
    if (at > bytes.length)
      throw new NodeopsError('failed', `the pprof profile is damaged: it is cut off after ${bytes.length} bytes`);
    counts[field]!++;
    if (field === sampleField) sampleBytes += length;
    const known = limits[field];
    if (known && counts[field]! > known.limit)
      throw new NodeopsError('too-large', `the pprof profile has more than ${known.limit} ${known.name}`);
    if (sampleBytes > limitSampleBytes)
      throw new NodeopsError('too-large', `the pprof profile has more than ${limitSampleBytes} bytes of samples`);
  }
}
