/** V8's CPU profile as it was before 2017, and as v8-profiler still writes it: a tree of nodes, times in seconds. */
import type { Checker } from './v8-json.ts';

/** The same document as V8 writes it today, for the checks that follow. Its own lists of ticks and samples are kept. */
export function modernized(
  check: Checker,
  legacy: Record<string, unknown>,
  limitNodes: number,
): Record<string, unknown> {
  const nodes: Record<string, unknown>[] = [];
  const queue: unknown[] = [legacy.head];
  // by place in the list, which is the order of the walk: ids may be missing in old files
  let nextId = 1;
  const idOf = (node: unknown): unknown => (node as { id?: unknown } | null)?.id;
  const hasIds = idOf(legacy.head) !== undefined;
  for (const value of queue) {
    const node = check.record(value, `node ${nodes.length}`);
    const children = node.children === undefined ? [] : check.list(node.children, 'children', limitNodes);
    if (queue.length + children.length > limitNodes) check.tooMany(queue.length + children.length, 'nodes', limitNodes);
    const firstChild = queue.length + 1;
    queue.push(...children);
    nodes.push({
      id: hasIds ? node.id : nextId++,
      hitCount: node.hitCount ?? 0,
      callFrame: {
        functionName: node.functionName,
        scriptId: node.scriptId,
        url: node.url,
        lineNumber: fromOne(node.lineNumber),
        columnNumber: fromOne(node.columnNumber),
      },
      children: children.map((child, i) => (hasIds ? idOf(child) : firstChild + i)),
      ...(Array.isArray(node.lineTicks) ? { positionTicks: node.lineTicks.map(tick) } : {}),
    });
  }
  return { nodes, ...times(check, legacy) };
}

/** Lines and columns count from 1 there; 0 and -1 are none. */
function fromOne(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value - 1 : -1;
}

function tick(value: unknown): unknown {
  const { line, hitCount } = (value ?? {}) as { line?: unknown; hitCount?: unknown };
  return { line, ticks: hitCount };
}

/** Timestamps are microseconds, also where start and end are whole seconds; the last may be the end's. */
function times(check: Checker, { samples, timestamps, startTime, endTime }: Record<string, unknown>): object {
  const stamps = Array.isArray(timestamps) ? timestamps.map((value, i) => check.number(value, `timestamps[${i}]`)) : [];
  const ids = Array.isArray(samples) ? samples.slice(0, stamps.length) : [];
  if (ids.length === 0) {
    const seconds = (value: unknown, name: string) => check.number(value ?? 0, name) * 1e6;
    return { startTime: seconds(startTime, 'startTime'), endTime: seconds(endTime, 'endTime') };
  }
  return {
    samples: ids,
    timeDeltas: ids.map((_, i) => (i === 0 ? 0 : stamps[i]! - stamps[i - 1]!)),
    startTime: stamps[0],
    endTime: stamps.reduce((last, one) => Math.max(last, one)),
  };
}
