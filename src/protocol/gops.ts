/**
 * gops' protocol, spoken by both ends: one byte asks, everything until the connection ends is the answer. The values are those of
 * gops' `signal` package.
 */

/** What can be asked, and the byte that asks it. */
export const gopsSignals = {
  stack: 0x1,
  gc: 0x2,
  memstats: 0x3,
  version: 0x4,
  'pprof-heap': 0x5,
  'pprof-cpu': 0x6,
  stats: 0x7,
  trace: 0x8,
  /** The executable, which `go tool pprof` is given together with a profile. */
  binary: 0x9,
  /** Followed by the percentage as a signed varint. */
  setgc: 0x10,
} as const;

export type GopsCommand = keyof typeof gopsSignals;

/** The command of a byte, or undefined. */
export function gopsCommand(byte: number): GopsCommand | undefined {
  return (Object.keys(gopsSignals) as GopsCommand[]).find((name) => gopsSignals[name] === byte);
}

/** A 64-bit number takes no more. */
const varintBytes = 10;

/** A whole number as Go's `binary.PutVarint` writes it: zigzag, seven bits a byte, lowest first. */
export function encodeVarint(value: number): Uint8Array {
  let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
  const bytes: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

/**
 * The signed varint at the start of `bytes`; undefined while it is not whole. What follows it is not looked at: gops sends
 * ten bytes whatever the number. Throws RangeError when it is longer than a 64-bit number or not exact in JavaScript.
 */
export function decodeVarint(bytes: Uint8Array): number | undefined {
  let value = 0n;
  for (let i = 0; i < varintBytes; i++) {
    const byte = bytes[i];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte >= 0x80) continue;
    const signed = Number(value & 1n ? -(value >> 1n) - 1n : value >> 1n);
    if (!Number.isSafeInteger(signed)) throw new RangeError('the number is too large');
    return signed;
  }
  throw new RangeError(`a number takes ${varintBytes} bytes at most`);
}
