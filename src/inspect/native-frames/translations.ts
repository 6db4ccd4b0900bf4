/**
 * V8's frame translations: for each place in optimised code the frames of the functions that were inlined there, outermost
 * first, as instructions for making them anew. Only what tells function and bytecode is kept.
 */
import { Numbers } from './positions.ts';

export interface InlinedFrame {
  readonly bytecodeOffset: number;
  /** The function, as an index into the literals of the code. */
  readonly literal: number;
}

/** Operands of each instruction, in the order of their numbers, and which instructions are what. */
export interface Instructions {
  readonly operands: readonly number[];
  readonly begin: readonly number[];
  readonly match: number;
  readonly interpreted: readonly number[];
  readonly frames: readonly number[];
}

/** An instruction: its name, with the count of its operands after a colon. */
export function instructions(text: string): Instructions {
  const all = text.trim().split(/\s+/);
  const names = all.map((entry) => entry.split(':')[0] ?? '');
  const where = (matches: (name: string) => boolean): number[] =>
    names.flatMap((name, i) => (matches(name) ? [i] : []));
  return {
    operands: all.map((entry) => Number(entry.split(':')[1])),
    begin: where((name) => name.startsWith('begin')),
    match: names.indexOf('match'),
    interpreted: where((name) => name.startsWith('interpreted')),
    frames: where((name) => name.endsWith('Frame')),
  };
}

/** More functions are never inlined into one another. */
const maxFrames = 100;
const maxInstructions = 20_000;

/** Null where the bytes are not what they should be. */
export function readTranslation(bytes: Buffer, start: number, set: Instructions): InlinedFrame[] | null {
  try {
    return new Translation(bytes, start, set).frames();
  } catch {
    return null;
  }
}

class Translation {
  readonly #now: Numbers;
  readonly #before: Numbers;
  readonly #set: Instructions;
  /** How many instructions are still those of the translation before. */
  #same = 0;
  /** Instructions since that one was last read. */
  #since = 0;

  constructor(bytes: Buffer, start: number, set: Instructions) {
    this.#set = set;
    this.#now = new Numbers(bytes, start);
    this.#before = new Numbers(bytes, 0);
    if (!set.begin.includes(this.#now.byte())) throw new Error('no beginning');
    const distance = this.#now.unsigned();
    this.#before.at = start - distance;
    if (distance > 0 && !set.begin.includes(bytes.readUInt8(start - distance))) throw new Error('no beginning before');
    this.#since = 1;
  }

  frames(): InlinedFrame[] {
    const frames: InlinedFrame[] = [];
    const expected = this.#now.signMagnitude();
    this.#now.signMagnitude();
    if (expected < 1 || expected > maxFrames) throw new Error('no frames');
    let seen = 0;
    for (let i = 0; seen < expected && i < maxInstructions; i++) {
      const instruction = this.#next();
      if (this.#set.frames.includes(instruction)) seen++;
      const operands = this.#set.operands[instruction] ?? 0;
      const from = this.#same > 0 ? this.#before : this.#now;
      if (this.#set.interpreted.includes(instruction)) {
        frames.push({ bytecodeOffset: from.signMagnitude(), literal: from.signMagnitude() });
        for (let j = 2; j < operands; j++) from.unsigned();
      } else for (let j = 0; j < operands; j++) from.unsigned();
    }
    if (seen !== expected) throw new Error('frames are missing');
    return frames;
  }

  #next(): number {
    if (this.#same > 0) this.#same--;
    if (this.#same > 0) return this.#checked(this.#before.byte());
    const byte = this.#now.byte();
    const count = this.#set.operands.length;
    // what is more than any instruction stands for "the same as before" with its count
    if (byte < count && byte !== this.#set.match) {
      this.#since++;
      return this.#checked(byte);
    }
    this.#same = byte >= count ? byte - count : this.#now.unsigned();
    for (; this.#since > 0; this.#since--) {
      const skipped = this.#before.byte();
      for (let j = this.#set.operands[skipped] ?? 0; j > 0; j--) this.#before.unsigned();
    }
    return this.#checked(this.#before.byte());
  }

  /** A translation ends where the next begins. */
  #checked(instruction: number): number {
    const { operands, begin, match } = this.#set;
    if (instruction >= operands.length || instruction === match || begin.includes(instruction))
      throw new Error('not such an instruction here');
    return instruction;
  }
}
