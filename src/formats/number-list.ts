/** A flat list of whole numbers in JSON, chunk by chunk: half of a heap snapshot's time goes here, so numbers are handed on in batches. */

const [space, tab, newline, carriage] = [0x20, 0x09, 0x0a, 0x0d];
const [comma, minus, zero, closeBracket] = [0x2c, 0x2d, 0x30, 0x5d];
/** What may come next. */
const [valueOrEnd, value, digits, commaOrEnd, firstDigit] = [0, 1, 2, 3, 4];
const batchNumbers = 2048;
/** No number that V8 writes has more digits. */
const mostDigits = 20;

/** Takes numbers, `count` of them, with the byte of the file after each. The arrays are used again. */
export type NumbersSink = (values: Float64Array, count: number, ends: Float64Array) => void;

/** Takes them one by one. */
export const eachNumber =
  (sink: (value: number, endByte: number) => void): NumbersSink =>
  (values, count, ends) => {
    for (let i = 0; i < count; i++) sink(values[i]!, ends[i]!);
  };

/** Begins after the opening bracket. Hands on whole rows of `width` numbers, but for the last of a list that is not made of such. */
export class NumberList {
  /** Whether the closing bracket was seen. */
  ended = false;
  readonly #sink: NumbersSink;
  readonly #values: Float64Array;
  readonly #ends: Float64Array;
  #filled = 0;
  #handedOn = 0;
  #state = valueOrEnd!;
  #number = 0;
  #sign = 1;

  constructor(sink: NumbersSink, width = 1) {
    this.#sink = sink;
    const size = width * Math.max(1, Math.floor(batchNumbers / width));
    this.#values = new Float64Array(size);
    this.#ends = new Float64Array(size);
  }

  get count(): number {
    return this.#handedOn + this.#filled;
  }

  /** Hands on what is there. */
  flush(): void {
    const count = this.#filled;
    this.#handedOn += count;
    this.#filled = 0;
    if (count > 0) this.#sink(this.#values, count, this.#ends);
  }

  /** Where the next byte to read is; −1 − i where byte i cannot be there. `before` is the file's bytes before the chunk. */
  write(chunk: Uint8Array, from: number, before: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#state === value || this.#state === valueOrEnd) at = this.#plain(chunk, at, before);
      if (at >= chunk.length) break;
      const byte = chunk[at]!;
      const state = this.#state;
      const digit = byte - zero;
      if (digit >= 0 && digit <= 9) {
        if (state === commaOrEnd) return -1 - at;
        this.#number = state === digits ? this.#number * 10 + digit : digit;
        this.#state = digits!;
        at++;
        continue;
      }
      if (state === digits) {
        this.#push(this.#number * this.#sign, before + at);
        this.#sign = 1;
        this.#state = commaOrEnd!;
      }
      if (byte === comma && this.#state === commaOrEnd) this.#state = value!;
      else if (byte === closeBracket && (this.#state === commaOrEnd || this.#state === valueOrEnd)) {
        this.flush();
        this.ended = true;
        return at + 1;
      } else if (byte === minus && (this.#state === value || this.#state === valueOrEnd)) {
        this.#sign = -1;
        this.#state = firstDigit!;
      } else if (
        (byte !== newline && byte !== space && byte !== carriage && byte !== tab) ||
        this.#state === firstDigit
      )
        return -1 - at;
      at++;
    }
    return chunk.length;
  }

  #push(number: number, endByte: number): void {
    this.#values[this.#filled] = number;
    this.#ends[this.#filled++] = endByte;
    if (this.#filled === this.#values.length) this.flush();
  }

  /** What V8 writes: digits, at times a line's end, and a comma. Stops before anything else, and near the chunk's end. */
  #plain(chunk: Uint8Array, from: number, before: number): number {
    const [values, ends] = [this.#values, this.#ends];
    const safe = chunk.length - mostDigits - 2;
    let filled = this.#filled;
    let at = from;
    let start = from;
    while (at < safe) {
      start = at;
      let number = chunk[at]! - zero;
      if (!(number >= 0 && number <= 9)) break;
      let digit = chunk[++at]! - zero;
      while (digit >= 0 && digit <= 9 && at < safe + mostDigits) {
        number = number * 10 + digit;
        digit = chunk[++at]! - zero;
      }
      const end = at;
      if (digit === newline - zero) digit = chunk[++at]! - zero;
      if (digit !== comma - zero) break;
      values[filled] = number;
      ends[filled++] = before + end;
      start = ++at;
      if (filled === values.length) {
        this.#filled = filled;
        this.flush();
        filled = 0;
      }
    }
    // what was begun and is not plain is read again; after a comma, a value must come
    if (start > from) this.#state = value!;
    this.#filled = filled;
    return start;
  }
}
