/** The outermost frame of a protobuf message, checked: pprof-format reads a message that is cut off as if it were whole. */
import { NodeopsError } from '../protocol/errors.ts';

/** Highest field number of profile.proto's Profile message (doc_url). */
const lastField = 15;

/** Throws `failed` when the bytes are no sequence of whole fields of a pprof profile. */
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
  }
}
