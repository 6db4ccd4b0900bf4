/** Source maps applied to a profile that is in the model already: one saved as pprof, with or without columns. */
import { decodedMappings, type TraceMap } from '@jridgewell/trace-mapping';
import { type FunctionInfo, Profile } from './model.ts';
import { mapCallFrame, mapLine, type SourceMapLookup } from './source-maps.ts';

/** The same profile with original names, files and lines where a map is at hand. */
export function mapProfile(profile: Profile, lookup: SourceMapLookup): Profile {
  const result = new Profile(profile.sampleTypes, profile.facts);
  const functions = profile.functions.map((info) => {
    const map = info.file && info.line > 0 ? lookup(info.file) : undefined;
    const mapped = map && mapFunction(info, map);
    return { map: mapped && map, before: info, info: mapped ?? info };
  });
  const frames = profile.frameFunction.map((id, frame) => {
    const { map, before, info } = functions[id]!;
    const line = profile.frameLine[frame]!;
    const start = { url: info.file, lineNumber: info.line - 1 };
    return result.frame(
      result.function(info),
      map && line > 0 ? (line === before.line ? info.line : mapLine(map, line, start)) : line,
    );
  });
  const stacks = [0];
  for (let stack = 1; stack < profile.stackParent.length; stack++)
    stacks.push(result.stack(stacks[profile.stackParent[stack]!]!, frames[profile.stackFrame[stack]!]!));
  for (let sample = 0; sample < profile.sampleCount; sample++)
    result.add(
      stacks[profile.sampleStack[sample]!]!,
      result.labels(profile.labelSets[profile.sampleLabels[sample]!]!),
      profile.values.map((column) => column[sample]!),
    );
  return result;
}

function mapFunction(info: FunctionInfo, map: TraceMap): FunctionInfo | undefined {
  const { name, place } = generatedPlace(info);
  // other tools' profiles know the line only: the first function on it that the map knows
  const column = place ?? decodedMappings(map)[info.line - 1]?.[0]?.[0] ?? 0;
  const frame = { functionName: name, scriptId: '0', url: info.file, lineNumber: info.line - 1, columnNumber: column };
  const mapped = mapCallFrame(frame, () => map);
  if (mapped === frame) return undefined;
  const { functionName, url, lineNumber } = mapped;
  const shown = functionName || anonymousName(url, lineNumber + 1, mapped.columnNumber + 1);
  return { name: shown, systemName: name || info.systemName, file: url, line: lineNumber + 1 };
}

/** What a function without a name is called: its place. */
export function anonymousName(url: string, line: number, column: number): string {
  const file = url.slice(url.lastIndexOf('/') + 1);
  return file ? `(anonymous ${file}:${line}:${column})` : '(anonymous)';
}

/** `NAME LINE:COLUMN`: where the function stands in the file that ran, for maps that are found later. */
export function systemNameOf(name: string, line: number, column: number): string {
  return line > 0 && column > 0 ? `${name} ${line}:${column}` : name;
}

function generatedPlace({ name, systemName }: FunctionInfo): { name: string; place: number | undefined } {
  const [, generated, column] = /^(.*) \d+:(\d+)$/s.exec(systemName) ?? [];
  const own = /^\(anonymous(?: [^()]*?:\d+:(\d+))?\)$/.exec(name);
  if (column !== undefined) return { name: own ? '' : generated!, place: Number(column) - 1 };
  return { name: own ? '' : name, place: own?.[1] === undefined ? undefined : Number(own[1]) - 1 };
}
