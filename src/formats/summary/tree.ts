import type { GraphEdge } from '../graph.ts';
import type { Profile } from '../model.ts';
import { percentage } from '../units.ts';
import { type Report, type ReportOptions, report, text } from './report.ts';

const separator = '----------------------------------------------------------+-------------';
const legend = '      flat  flat%   sum%        cum   cum%   calls calls% + context \t \t ';

/** Every function with its callers above and its callees below it, as `go tool pprof -tree`. `nodeCount` is 80 unless given. */
export function tree(profile: Profile, options: ReportOptions = {}): string {
  return blocks(report(profile, { nodeCount: 80, ...options }), undefined, options);
}

/** The same for functions whose name or place matches, nothing trimmed, as `go tool pprof -peek`. */
export function peek(profile: Profile, pattern: RegExp, options: ReportOptions = {}): string {
  const whole = report(profile, { ...options, nodeCount: 0, nodeFraction: 0, edgeFraction: 0 });
  if (!whole.nodes.some((node) => node.name.search(pattern) >= 0)) return `no function matches ${pattern.source}\n`;
  return blocks(whole, pattern, options);
}

function blocks(whole: Report, pattern: RegExp | undefined, options: ReportOptions): string {
  const { nodes, graph, value, share } = whole;
  const names = new Map(graph.nodes.map((node) => [node.id, node.name]));
  const callers = group(graph.edges, 'callee');
  const callees = group(graph.edges, 'caller');
  const lines = [...whole.head, separator, legend];
  let sum = 0;
  for (const { id, name, flat, cum } of nodes) {
    if (pattern && name.search(pattern) < 0) continue;
    const edges = (list: readonly GraphEdge[] | undefined, end: 'caller' | 'callee') =>
      (list ?? [])
        .map(({ weight, [end]: other }) => ({ weight, name: names.get(other)! }))
        .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight) || (a.name < b.name ? -1 : 1))
        .map((edge) => `${value(edge.weight).padStart(50)} ${percentage(edge.weight, cum)} |   ${edge.name}`);
    sum += flat;
    const cells = [value(flat).padStart(10), share(flat), share(sum), value(cum).padStart(10), share(cum)];
    lines.push(
      separator,
      ...edges(callers.get(id), 'caller'),
      `${cells.join(' ')}                | ${name}`,
      ...edges(callees.get(id), 'callee'),
    );
  }
  if (nodes.length > 0) lines.push(separator);
  return text(lines, options.widthColumns ?? 0);
}

function group(edges: readonly GraphEdge[], end: 'caller' | 'callee'): Map<number, GraphEdge[]> {
  const groups = new Map<number, GraphEdge[]>();
  for (const edge of edges) {
    const list = groups.get(edge[end]);
    if (list) list.push(edge);
    else groups.set(edge[end], [edge]);
  }
  return groups;
}
