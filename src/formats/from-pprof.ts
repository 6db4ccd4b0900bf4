/** pprof's protobuf into the model: our own files, Go's, and those of other tools. */
import { Profile as Pprof } from 'pprof-format';
import { NodeopsError } from '../protocol/errors.ts';
import { gunzipped } from './gunzip.ts';
import { emptyStack, type Label, Profile, type ValueType } from './model.ts';
import { checkFraming } from './protobuf.ts';

export interface FromPprofOptions {
  /** Size after decompression. @default 536870912 */
  readonly limitBytes?: number;
  /** Put on every sample in addition to its own. */
  readonly labels?: readonly Label[];
}

/**
 * Reads a profile, gzipped or not. Inlined functions of a location become frames of their own; a location without symbols is
 * shown as its address in hex, with the binary it is in as file. Labels may hold several values of a key.
 * Throws NodeopsError `failed` when it is cut off, damaged or something else, `too-large` past a limit.
 */
export function fromPprof(input: Uint8Array, options: FromPprofOptions = {}): Profile {
  if (input.length === 0) throw damaged('it is empty');
  const bytes = gunzipped('pprof profile', input, options.limitBytes ?? 512 * 1024 * 1024);
  checkFraming(bytes);
  try {
    return convert(Pprof.decode(bytes), options.labels ?? []);
  } catch (cause) {
    if (cause instanceof NodeopsError) throw cause;
    throw damaged(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Frames of one stack: deeper ones are damage, or written to do harm. Go and V8 record some hundred. */
const limitDepth = 20_000;
/** Frames of all stacks together, one after the other. */
const limitFrames = 100_000_000;

function convert(source: Pprof, extra: readonly Label[]): Profile {
  const { strings } = source.stringTable;
  const text = (index: number | bigint): string => {
    const value = strings[Number(index)];
    if (value === undefined) throw damaged(`it names string ${index} of ${strings.length}`);
    return value;
  };
  const type = (value: { type: number | bigint; unit: number | bigint }): ValueType => ({
    type: text(value.type),
    unit: text(value.unit),
  });
  if (source.sampleType.length === 0) throw damaged('it has no sample types');
  const profile = new Profile(source.sampleType.map(type), {
    timeMs: Number(signed(source.timeNanos) / 1_000_000n),
    durationNanos: Number(signed(source.durationNanos)),
    periodType: source.periodType ? type(source.periodType) : null,
    period: Number(signed(source.period)),
    comments: source.comment.map(text),
    defaultSampleType: source.defaultSampleType ? text(source.defaultSampleType) : null,
  });

  const functions = new Map(
    source.function.map((fn) => [
      Number(fn.id),
      profile.function({
        name: text(fn.name) || text(fn.systemName) || '?',
        systemName: text(fn.systemName) || text(fn.name),
        file: text(fn.filename),
        line: Number(signed(fn.startLine)),
      }),
    ]),
  );
  const binaries = new Map(source.mapping.map((mapping) => [Number(mapping.id), text(mapping.filename)]));
  // frames of a location, innermost first
  const locations = new Map(
    source.location.map((location) => {
      const frames = location.line.map((line) => {
        const fn = functions.get(Number(line.functionId));
        if (fn === undefined) throw damaged(`it names function ${line.functionId}, which is not there`);
        return profile.frame(fn, Number(signed(line.line)));
      });
      if (frames.length === 0) {
        const name = `0x${BigInt(location.address).toString(16)}`;
        const file = binaries.get(Number(location.mappingId)) ?? '';
        frames.push(profile.frame(profile.function({ name, systemName: name, file, line: 0 }), 0));
      }
      return [Number(location.id), frames];
    }),
  );
  let total = 0;
  for (const sample of source.sample) {
    if (sample.value.length !== source.sampleType.length)
      throw damaged(`a sample has ${sample.value.length} values for ${source.sampleType.length} types`);
    let stack = emptyStack;
    let depth = 0;
    for (const id of sample.locationId.toReversed()) {
      const frames = locations.get(Number(id));
      if (!frames) throw damaged(`it names location ${id}, which is not there`);
      depth += frames.length;
      total += frames.length;
      if (depth > limitDepth) throw tooMany(`a stack of more than ${limitDepth} frames`);
      if (total > limitFrames) throw tooMany(`stacks of more than ${limitFrames} frames together`);
      for (const frame of frames.toReversed()) stack = profile.stack(stack, frame);
    }
    const labels = sample.label.map(
      (label): Label =>
        label.str
          ? { key: text(label.key), text: text(label.str) }
          : { key: text(label.key), number: Number(signed(label.num)), unit: text(label.numUnit) },
    );
    profile.add(
      stack,
      profile.labels([...labels, ...extra]),
      sample.value.map((value) => Number(signed(value))),
    );
  }
  return profile;
}

/** Protobuf's int64 as two's complement, which pprof-format leaves unsigned. */
function signed(value: number | bigint): bigint {
  return BigInt.asIntN(64, BigInt(value));
}

function tooMany(what: string): NodeopsError {
  return new NodeopsError('too-large', `the pprof profile has ${what}`);
}

function damaged(problem: string, cause?: unknown): NodeopsError {
  return new NodeopsError('failed', `the pprof profile is damaged: ${problem}`, { cause });
}
