/** What .cpuprofile and .heapprofile share: a JSON document of call frames, parsed with limits and errors that name the place. */
import { NodeopsError } from '../protocol/errors.ts';

export interface CallFrame {
  /** Empty where the function has no name. */
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
  /** From 0, -1 where there is none. */
  readonly lineNumber: number;
  /** From 0, -1 where there is none. */
  readonly columnNumber: number;
  /** Ours: the name in the file that ran, where a source map gave another. */
  readonly generatedName?: string;
}

/** Limits on a V8 profile that is read. */
export interface ProfileLimits {
  /** @default 536870912, the longest string V8 can hold */
  readonly limitBytes?: number;
  /** Nodes of the call tree. @default 2000000 */
  readonly limitNodes?: number;
  /** @default 20000000 */
  readonly limitSamples?: number;
}

export const defaultLimits: Required<ProfileLimits> = {
  limitBytes: 512 * 1024 * 1024,
  limitNodes: 2_000_000,
  limitSamples: 20_000_000,
};

/** Parses JSON text or UTF-8 bytes. Throws `too-large`, or `failed` saying whether it is cut off or something else. */
export function parseJson(what: string, input: string | Uint8Array, limitBytes: number): unknown {
  if (input.length > limitBytes)
    throw new NodeopsError('too-large', `the ${what} has ${input.length} bytes; at most ${limitBytes} are read`);
  const text = typeof input === 'string' ? input : new TextDecoder().decode(input);
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (text.trim() === '') throw new NodeopsError('failed', `the ${what} is empty`, { cause });
    const cutOff = /^\s*\{/.test(text) && !/\}\s*$/.test(text);
    throw new NodeopsError(
      'failed',
      cutOff ? `the ${what} is cut off after ${input.length} bytes` : `the ${what} is not valid JSON`,
      { cause, ...(cutOff ? { hint: 'Take it again, or fetch the file again.' } : {}) },
    );
  }
}

/** Checks one document; its methods throw `failed` with the place of what is wrong. */
export class Checker {
  readonly #what: string;
  constructor(what: string) {
    this.#what = what;
  }

  fail(problem: string): never {
    throw new NodeopsError('failed', `the ${this.#what} is damaged: ${problem}`);
  }
  tooMany(count: number, place: string, limit: number): never {
    throw new NodeopsError('too-large', `the ${this.#what} has ${count} ${place}; at most ${limit} are read`);
  }
  record(value: unknown, place: string): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail(`${place} is not an object`);
    return value as Record<string, unknown>;
  }
  list(value: unknown, place: string, limit: number): unknown[] {
    if (!Array.isArray(value)) this.fail(`${place} is not a list`);
    if (value.length > limit) this.tooMany(value.length, place, limit);
    return value;
  }
  number(value: unknown, place: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) this.fail(`${place} is not a number`);
    return value;
  }
  callFrame(value: unknown, place: string): CallFrame {
    const frame = this.record(value, place);
    if (typeof frame.functionName !== 'string') this.fail(`${place}.functionName is not text`);
    return {
      functionName: frame.functionName,
      scriptId: String(frame.scriptId ?? '0'),
      url: typeof frame.url === 'string' ? frame.url : '',
      lineNumber: this.number(frame.lineNumber ?? -1, `${place}.lineNumber`),
      columnNumber: this.number(frame.columnNumber ?? -1, `${place}.columnNumber`),
      ...(typeof frame.generatedName === 'string' ? { generatedName: frame.generatedName } : {}),
    };
  }
}
