/** The JSON of a heap snapshot, byte by byte: one object whose long members are flat lists of numbers and a list of strings. */
import { NodeopsError } from '../protocol/errors.ts';
import { NumberList, type NumbersSink } from './number-list.ts';

/** Takes the numbers of a list in rows of a width. */
export interface RowSink {
  readonly take: NumbersSink;
  readonly width: number;
}

/** Takes some of the strings of a list. */
export interface StringSink {
  readonly wants: (index: number) => boolean;
  /** Longer strings are cut, in bytes of their JSON. */
  readonly limitLength: number;
  readonly take: (index: number, text: string) => void;
  /** Called for every string with the byte after its opening quote. */
  readonly at?: (index: number, byte: number) => void;
}

export interface SnapshotSinks {
  /** The text of the member `snapshot`. */
  readonly snapshot: (text: string) => void;
  /** Called when a list of numbers begins, with the byte after its bracket; undefined when only their count matters. */
  readonly numbers: (key: string, startByte: number) => RowSink | undefined;
  readonly strings: (key: string) => StringSink | undefined;
  /** Called when a list has ended. */
  readonly counted: (key: string, count: number) => void;
}

/** The member `snapshot` is a few kilobytes; keys are short. */
const limitHeaderBytes = 1024 * 1024;
const limitKeyBytes = 64;
const numberLists = new Set(['nodes', 'edges', 'locations']);

type State =
  | 'start'
  | 'first-key'
  | 'next-key'
  | 'key'
  | 'colon'
  | 'value'
  | 'captured'
  | 'skipped'
  | 'scalar'
  | 'numbers'
  | 'strings'
  | 'after-value'
  | 'done';

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Checks the JSON's frame as it goes and hands its contents to sinks. Memory does not grow with the file. */
export class SnapshotScanner {
  readonly #sinks: SnapshotSinks;
  #state: State = 'start';
  /** Bytes before the current chunk. */
  #before = 0;
  #key = '';
  #kept: number[] = [];
  // inside an object or list that is captured or skipped
  #closers: number[] = [];
  // inside a string
  #inString = false;
  #escaped = false;
  // inside a list
  #count = 0;
  #expects: 'value-or-end' | 'value' | 'comma-or-end' = 'value-or-end';
  #list: NumberList | undefined;
  #stringSink: StringSink | undefined;
  #wanted = false;

  constructor(sinks: SnapshotSinks) {
    this.#sinks = sinks;
  }

  write(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length)
      switch (this.#state) {
        case 'captured':
        case 'skipped':
          at = this.#nested(chunk, at);
          break;
        case 'numbers':
          at = this.#numbers(chunk, at);
          break;
        case 'strings':
          at = this.#strings(chunk, at);
          break;
        default:
          this.#member(chunk[at]!, at);
          at++;
      }
    this.#before += chunk.length;
  }

  end(): void {
    if (this.#state !== 'done')
      throw new NodeopsError('failed', `the heap snapshot is cut off after ${this.#before} bytes`);
  }

  #member(byte: number, at: number): void {
    if (this.#state === 'key') {
      if (byte === quote) {
        this.#key = String.fromCharCode(...this.#kept);
        this.#state = 'colon';
      } else if (this.#kept.push(byte) > limitKeyBytes) this.#fail(at);
      return;
    }
    if (this.#state === 'scalar' && byte !== comma && byte !== closeBrace) return;
    if (isSpace(byte)) return;
    switch (this.#state) {
      case 'start':
        this.#expect(byte === openBrace, at, 'first-key');
        break;
      case 'first-key':
      case 'next-key':
        if (byte === closeBrace && this.#state === 'first-key') this.#state = 'done';
        else this.#expect(byte === quote, at, 'key');
        this.#kept = [];
        return;
      case 'colon':
        this.#expect(byte === colon, at, 'value');
        break;
      case 'value':
        this.#begin(byte, at);
        break;
      case 'scalar':
      case 'after-value':
        this.#expect(byte === comma || byte === closeBrace, at, byte === comma ? 'next-key' : 'done');
        break;
      default:
        this.#fail(at);
    }
  }

  #begin(byte: number, at: number): void {
    this.#count = 0;
    this.#expects = 'value-or-end';
    this.#inString = false;
    if (byte === openBracket && numberLists.has(this.#key)) {
      const sink = this.#sinks.numbers(this.#key, this.#before + at + 1);
      this.#list = new NumberList(sink?.take ?? (() => {}), sink?.width);
      this.#state = 'numbers';
    } else if (byte === openBracket && this.#key === 'strings') {
      this.#stringSink = this.#sinks.strings(this.#key);
      this.#state = 'strings';
    } else if (byte === openBrace || byte === openBracket) {
      this.#closers = [byte + 2];
      this.#kept = [byte];
      this.#state = this.#key === 'snapshot' ? 'captured' : 'skipped';
    } else if (byte === quote || byte === comma || byte === closeBrace || byte === closeBracket) this.#fail(at);
    else this.#state = 'scalar';
  }

  #nested(chunk: Uint8Array, from: number): number {
    const keep = this.#state === 'captured';
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (keep && this.#kept.push(byte) > limitHeaderBytes) this.#fail(at);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) this.#inString = false;
      } else if (byte === quote) this.#inString = true;
      else if (byte === openBrace || byte === openBracket) {
        // in ASCII, each closing bracket comes two after its opening one
        if (this.#closers.push(byte + 2) > 100_000) this.#fail(at);
      } else if (byte === closeBrace || byte === closeBracket) {
        if (this.#closers.pop() !== byte) this.#fail(at);
        if (this.#closers.length === 0) {
          if (keep) this.#sinks.snapshot(Buffer.from(this.#kept).toString('utf8'));
          this.#state = 'after-value';
          return at + 1;
        }
      }
    }
    return chunk.length;
  }

  #numbers(chunk: Uint8Array, from: number): number {
    const list = this.#list!;
    const at = list.write(chunk, from, this.#before);
    if (at < 0) this.#fail(-at - 1);
    if (list.ended) {
      this.#count = list.count;
      this.#listEnded();
    }
    return at;
  }

  #strings(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#inString) {
        at = this.#insideString(chunk, at);
        continue;
      }
      const byte = chunk[at]!;
      if (byte === quote && this.#expects !== 'comma-or-end') {
        this.#inString = true;
        this.#stringSink?.at?.(this.#count, this.#before + at + 1);
        this.#wanted = this.#stringSink?.wants(this.#count) ?? false;
        if (this.#wanted) this.#kept = [];
      } else if (byte === comma && this.#expects === 'comma-or-end') this.#expects = 'value';
      else if (byte === closeBracket && this.#expects !== 'value') {
        this.#listEnded();
        return at + 1;
      } else if (!isSpace(byte)) this.#fail(at);
      at++;
    }
    return at;
  }

  /** Up to and including the closing quote. */
  #insideString(chunk: Uint8Array, from: number): number {
    let escaped = this.#escaped;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (byte < 0x20) this.#fail(at);
      if (byte === quote && !escaped) {
        this.#escaped = false;
        this.#inString = false;
        if (this.#wanted) this.#stringSink!.take(this.#count, decode(this.#kept));
        this.#count++;
        this.#expects = 'comma-or-end';
        return at + 1;
      }
      escaped = byte === backslash && !escaped;
      if (this.#wanted && this.#kept.length < this.#stringSink!.limitLength) this.#kept.push(byte);
    }
    this.#escaped = escaped;
    return chunk.length;
  }

  #listEnded(): void {
    this.#sinks.counted(this.#key, this.#count);
    this.#state = 'after-value';
  }

  #expect(met: boolean, at: number, next: State): void {
    if (!met) this.#fail(at);
    this.#state = next;
  }

  #fail(at: number): never {
    const where =
      this.#state === 'start' || this.#state === 'done' ? '' : `, in ${JSON.stringify(this.#key.slice(0, 40))}`;
    throw new NodeopsError('failed', `the heap snapshot is damaged at byte ${this.#before + at}${where}`);
  }
}

/** A string's JSON as text; what was cut inside an escape is shown as it is. */
function decode(bytes: readonly number[]): string {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return text;
  }
}
