/** Fuzzing of what parses foreign bytes: seeds are mutated, and whatever comes out must be read or refused with one sentence, soon. */

export interface Target {
  /** Valid inputs, which mutation starts from. */
  readonly seeds: readonly Uint8Array[];
  /** Words of the format, put in where they hurt. */
  readonly words?: readonly string[];
  /** Parses the input and throws what it throws. */
  run(input: Uint8Array): unknown;
  /** Whether an error is a refusal: one sentence that the user reads. */
  isRefusal(error: unknown): boolean;
}

export interface Found {
  readonly input: Uint8Array;
  readonly problem: string;
}

export interface FuzzOptions {
  /** @default 1 */
  readonly seed?: number;
  /** Ends after so many inputs. */
  readonly inputs?: number;
  /** Ends after so long. */
  readonly forMs?: number;
  /** One input may take so long. @default 5000 */
  readonly inputMs?: number;
}

/** Runs one target; returns how many inputs it got, and the first that did harm. */
export function fuzz(target: Target, options: FuzzOptions = {}): { inputs: number; found: Found | undefined } {
  const {
    seed = 1,
    inputs: most = Number.POSITIVE_INFINITY,
    forMs = Number.POSITIVE_INFINITY,
    inputMs = 5_000,
  } = options;
  const random = generator(seed);
  const end = performance.now() + forMs;
  let inputs = 0;
  for (; inputs < most && performance.now() < end; inputs++) {
    const input = mutate(target, random);
    const begun = performance.now();
    try {
      target.run(input);
    } catch (error) {
      if (!target.isRefusal(error))
        return {
          inputs,
          found: { input, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        };
    }
    const took = performance.now() - begun;
    if (took > inputMs) return { inputs, found: { input, problem: `it took ${Math.round(took)} ms` } };
  }
  return { inputs, found: undefined };
}

type Random = (below: number) => number;

/** mulberry32: the same inputs for the same seed. */
function generator(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const hurting = [
  '0',
  '-1',
  '1e308',
  '9007199254740993',
  '4294967296',
  'null',
  '[]',
  '{}',
  '""',
  '"__proto__"',
  '\ufeff',
  '%zz',
];
const limitBytes = 1024 * 1024;

function mutate({ seeds, words = [] }: Target, random: Random): Uint8Array {
  let bytes = Uint8Array.from(seeds[random(seeds.length)]!);
  const pick = <T>(list: readonly T[]) => list[random(list.length)]!;
  for (let round = 1 + random(6); round > 0; round--) {
    const at = random(bytes.length + 1);
    const length = random(Math.min(64, bytes.length - at) + 1);
    const part = bytes.subarray(at, at + length);
    const around = (middle: Uint8Array, skip: number) =>
      Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + skip)]);
    switch (random(7)) {
      case 0:
        if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << random(8));
        break;
      case 1:
        bytes = around(new Uint8Array(), length);
        break;
      case 2:
        bytes = around(Buffer.concat(new Array(1 + random(64)).fill(part)), length);
        break;
      case 3:
        bytes = around(Buffer.from(pick([...hurting, ...words])), random(2) * length);
        break;
      case 4:
        bytes = around(
          Uint8Array.from({ length: 1 + random(10) }, () => pick([0, 1, 127, 128, 255, random(256)])),
          0,
        );
        break;
      case 5:
        bytes = around(pick(seeds).subarray(random(64)), length);
        break;
      default:
        if (random(4) === 0) bytes = bytes.slice(0, at);
    }
    if (bytes.length > limitBytes) bytes = bytes.slice(0, limitBytes);
  }
  return bytes;
}
