/** The model as pprof's protobuf (profile.proto), which `go tool pprof`, speedscope and every profile store read. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Profile as Pprof, StringTable } from 'pprof-format';
import type { Label, Profile, ValueType } from './model.ts';

const compress = promisify(gzip);

/** A `.pb.gz`: pprof's protobuf, gzipped as pprof's own files are. */
export async function toPprof(profile: Profile): Promise<Uint8Array> {
  return compress(encodePprof(profile));
}

/** The protobuf itself. Stacks are written innermost frame first; a location is a function at a line. */
export function encodePprof(profile: Profile): Uint8Array {
  const strings = new StringTable();
  const text = (value: string) => strings.dedup(value);
  const type = ({ type, unit }: ValueType) => ({ type: text(type), unit: text(unit) });
  const label = (label: Label) =>
    'text' in label
      ? { key: text(label.key), str: text(label.text) }
      : { key: text(label.key), num: label.number, numUnit: text(label.unit) };
  const { facts } = profile;
  const labelSets = profile.labelSets.map((set) => set.map(label));
  // with ids from 1, as 0 means none
  return new Pprof({
    sampleType: profile.sampleTypes.map(type),
    sample: profile.sampleStack.map((stack, i) => ({
      locationId: profile.framesOf(stack).map((frame) => frame + 1),
      value: profile.values.map((column) => Math.round(column[i]!)),
      label: labelSets[profile.sampleLabels[i]!]!,
    })),
    location: profile.frameFunction.map((functionId, i) => ({
      id: i + 1,
      line: [{ functionId: functionId + 1, line: profile.frameLine[i]! }],
    })),
    function: profile.functions.map(({ name, systemName, file, line }, i) => ({
      id: i + 1,
      name: text(name),
      systemName: text(systemName),
      filename: text(file),
      startLine: line,
    })),
    stringTable: strings,
    timeNanos: BigInt(Math.round(facts.timeMs * 1000)) * 1000n,
    durationNanos: Math.round(facts.durationNanos),
    ...(facts.periodType ? { periodType: type(facts.periodType), period: Math.round(facts.period) } : {}),
    comment: facts.comments.map(text),
    ...(facts.defaultSampleType ? { defaultSampleType: text(facts.defaultSampleType) } : {}),
  }).encode();
}
