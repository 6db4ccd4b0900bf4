/** A flat list of whole numbers in JSON, chunk by chunk: half of a heap snapshot's time goes here. */

const [space, tab, newline, carriage] = [0x20, 0x09, 0x0a, 0x0d];
const [comma, minus, zero, closeBracket] = [0x2c, 0x2d, 0x30, 0x5d];
/** What may come next. */
const [valueOrEnd, value, digits, commaOrEnd, firstDigit] = [0, 1, 2, 3, 4];

/** Begins after the opening bracket. Calls back for each number with the byte of the file after it. */
export class NumberList {
  count = 0;
  /** Whether the closing bracket was seen. */
  ended = false;
  readonly #sink: (value: number, endByte: number) => void;
  #state = valueOrEnd!;
  #number = 0;
  #sign = 1;

  constructor(sink: (value: number, endByte: number) => void) {
    this.#sink = sink;
  }

  /** Where the next byte to read is; −1 − i where byte i cannot be there. `before` is the file's bytes before the chunk. */
  write(chunk: Uint8Array, from: number, before: number): number {
    const sink = this.#sink;
    let [state, number, sign, count] = [this.#state, this.#number, this.#sign, this.count];
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      const digit = byte - zero;
      if (digit >= 0 && digit <= 9) {
        if (state === digits) number = number * 10 + digit;
        else if (state === commaOrEnd) return -1 - at;
        else {
          number = digit;
          state = digits!;
        }
        continue;
      }
      if (state === digits) {
        sink(number * sign, before + at);
        count++;
        sign = 1;
        state = commaOrEnd!;
      }
      if (byte === comma && state === commaOrEnd) state = value!;
      else if (byte === closeBracket && (state === commaOrEnd || state === valueOrEnd)) {
        this.count = count;
        this.ended = true;
        return at + 1;
      } else if (byte === minus && (state === value || state === valueOrEnd)) {
        sign = -1;
        state = firstDigit!;
      } else if ((byte !== newline && byte !== space && byte !== carriage && byte !== tab) || state === firstDigit)
        return -1 - at;
    }
    this.#state = state;
    this.#number = number;
    this.#sign = sign;
    this.count = count;
    return chunk.length;
  }
}
