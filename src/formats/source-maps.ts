/** Source maps applied to V8's profiles: functions and lines as they were written, not as they were bundled. */
import { decodedMappings, type TraceMap } from '@jridgewell/trace-mapping';
import { originalPosition } from '../source-maps/frames.ts';
import { sourceName } from '../source-maps/text.ts';
import type { CpuNode, CpuProfile } from './cpuprofile.ts';
import type { HeapNode, HeapProfile } from './heapprofile.ts';
import type { CallFrame } from './v8-json.ts';

/** The map of a script by its URL or path, as V8 names it; undefined where there is none. */
export type SourceMapLookup = (url: string) => TraceMap | undefined;

/** The same CPU profile with original names, files and lines where a map is at hand. It stays a valid .cpuprofile. */
export function mapCpuProfile(profile: CpuProfile, lookup: SourceMapLookup): CpuProfile {
  return { ...profile, nodes: profile.nodes.map((node) => mapNode(node, lookup)) };
}

/** The same heap profile with original names, files and lines where a map is at hand. It stays a valid .heapprofile. */
export function mapHeapProfile(profile: HeapProfile, lookup: SourceMapLookup): HeapProfile {
  const mapped = (node: HeapNode) => ({
    ...node,
    callFrame: mapCallFrame(node.callFrame, lookup),
    children: [] as HeapNode[],
  });
  const head = mapped(profile.head);
  const queue = [{ from: profile.head, to: head }];
  for (const { from, to } of queue)
    for (const child of from.children) {
      const node = mapped(child);
      to.children.push(node);
      queue.push({ from: child, to: node });
    }
  return { ...profile, head };
}

/** Where a function was written. Returns the frame itself when no map knows it. */
export function mapCallFrame(frame: CallFrame, lookup: SourceMapLookup): CallFrame {
  const map = frame.url && frame.lineNumber >= 0 ? lookup(frame.url) : undefined;
  if (!map) return frame;
  const original = originalPosition(map, frame.lineNumber + 1, frame.columnNumber);
  if (!original) return frame;
  const functionName = originalName(map, frame);
  return {
    ...frame,
    functionName,
    url: sourceName(original.source),
    lineNumber: original.line - 1,
    columnNumber: original.column,
    ...(functionName === frame.functionName ? {} : { generatedName: frame.functionName }),
  };
}

function mapNode(node: CpuNode, lookup: SourceMapLookup): CpuNode {
  const callFrame = mapCallFrame(node.callFrame, lookup);
  if (callFrame === node.callFrame || !node.positionTicks) return { ...node, callFrame };
  const map = lookup(node.callFrame.url)!;
  const start = node.callFrame.lineNumber + 1;
  const positionTicks = node.positionTicks.map((tick) => ({
    ...tick,
    line: tick.line === start ? callFrame.lineNumber + 1 : mapLine(map, tick.line, callFrame),
  }));
  return { ...node, callFrame, positionTicks };
}

/**
 * V8 tells a sample's line, not its column, and a minified line holds many original ones: the first of the same file is taken,
 * and on the line where the function begins (all there is of a one-line bundle) the function's own first line.
 */
export function mapLine(map: TraceMap, line: number, start: Pick<CallFrame, 'url' | 'lineNumber'>): number {
  for (const segment of decodedMappings(map)[line - 1] ?? [])
    if (segment.length > 1 && sourceName(map.resolvedSources?.[segment[1]!] ?? '') === start.url)
      return segment[2]! + 1;
  return start.lineNumber + 1;
}

/** Segments looked at before the function's position, and characters between its name and that position (`=async function*`). */
const limitSegments = 6;
const limitGap = 18;

/**
 * V8 places a function at its parameter list, so the identifier it was declared or assigned to stands before: the nearest
 * segment there that is long enough for the generated name. The segment at the position itself may be a parameter's.
 */
function originalName(map: TraceMap, { functionName, lineNumber, columnNumber }: CallFrame): string {
  if (!functionName) return '';
  const segments = decodedMappings(map)[lineNumber] ?? [];
  let at = segments.findLastIndex((segment) => segment[0] < columnNumber);
  for (let tried = 0; at >= 0 && tried < limitSegments; at--, tried++) {
    const segment = segments[at]!;
    const gap = columnNumber - (segment[0] + functionName.length);
    if (gap < 0) continue;
    if (gap > limitGap) break;
    if (segment.length === 5) return nameAt(map, segment[4]) ?? functionName;
    // directly before the parameters and without another name: it was not renamed
    if (gap === 0) break;
  }
  return functionName;
}

function nameAt(map: TraceMap, index: number): string | undefined {
  const name: unknown = map.names?.[index];
  return typeof name === 'string' ? name : undefined;
}
