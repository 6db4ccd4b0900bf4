/** What reports over the graph of functions share: the choice of column, trimming, units and the lines above the table. */
import { defaultColumn } from '../diff.ts';
import { byFunction, byLine, type Graph, type GraphNode, graphOf } from '../graph.ts';
import type { Profile, ValueType } from '../model.ts';
import { formatValue, percentage, reportUnit } from '../units.ts';

export interface ReportOptions {
  /** Column of the profile. @default the one shown first, see sampleIndex */
  readonly column?: number;
  /** @default 'flat' */
  readonly sort?: 'flat' | 'cum';
  /** Most nodes shown; 0 for all. */
  readonly nodeCount?: number;
  /** Nodes with less than this share of the total are dropped. @default 0.005 */
  readonly nodeFraction?: number;
  /** Edges with less than this share of the total are dropped. @default 0.001 */
  readonly edgeFraction?: number;
  /** Unit of the values. @default one that suits them */
  readonly unit?: string;
  /** What a row is. @default 'function' */
  readonly per?: 'function' | 'line';
  /** Longer lines are cut. @default 0, never */
  readonly widthColumns?: number;
}

/** A trimmed graph, sorted, with what is needed to print it. */
export interface Report {
  readonly nodes: readonly GraphNode[];
  readonly graph: Graph;
  readonly total: number;
  /** A value in the report's unit. */
  readonly value: (value: number) => string;
  /** A value's share of the total. */
  readonly share: (value: number) => string;
  /** `Showing nodes accounting for …` and what was dropped. */
  readonly head: readonly string[];
}

/** Builds the graph of functions and trims it: nodes by share, then by number, then edges by share. */
export function report(profile: Profile, options: ReportOptions = {}): Report {
  const column = options.column ?? defaultColumn(profile);
  const type = profile.sampleTypes[column]!;
  const granularity = options.per === 'line' ? byLine(profile) : byFunction(profile);
  const whole = graphOf(profile, column, granularity);
  const total = profile.total(column);
  const nodeCutoff = Math.floor(total * (options.nodeFraction ?? 0.005));
  const edgeCutoff = Math.floor(total * (options.edgeFraction ?? 0.001));
  const large = whole.nodes.filter((node) => node.cum >= nodeCutoff);
  const sorted = large.toSorted(order(options.sort ?? 'flat'));
  const shown = options.nodeCount ? sorted.slice(0, options.nodeCount) : sorted;

  const trimmed =
    shown.length === whole.nodes.length
      ? whole
      : graphOf(profile, column, granularity, new Set(shown.map((node) => node.key)));
  const graph = { nodes: trimmed.nodes, edges: trimmed.edges.filter((edge) => edge.weight >= edgeCutoff) };
  const nodes = graph.nodes.toSorted(order(options.sort ?? 'flat'));

  const unit =
    options.unit ??
    reportUnit(
      nodes.map((node) => node.flat || node.cum),
      total,
      type.unit,
    );
  const value = (number: number) => formatValue(number, type.unit, unit);
  const share = (number: number) => percentage(number, total);
  const flat = nodes.reduce((sum, node) => sum + node.flat, 0);
  const dropped = whole.nodes.length - large.length;
  const head = [`Showing nodes accounting for ${value(flat)}, ${share(flat).trim()} of ${value(total)} total`];
  if (dropped > 0) head.push(`Dropped ${dropped} node${dropped > 1 ? 's' : ''} (cum <= ${value(nodeCutoff)})`);
  if (nodes.length < large.length) head.push(`Showing top ${nodes.length} nodes out of ${large.length}`);
  return { nodes, graph, total, value, share, head };
}

/** Lines about the whole profile: comments, type, time, duration. Printed once, when a profile is opened. */
export function profileHead(profile: Profile, column: number = defaultColumn(profile)): string {
  const { comments, timeMs, durationNanos } = profile.facts;
  const type: ValueType = profile.sampleTypes[column]!;
  const lines = comments.filter((comment) => !comment.startsWith('#'));
  lines.push(`Type: ${type.type}`);
  if (timeMs > 0) lines.push(`Time: ${new Date(timeMs).toISOString().replace('T', ' ').slice(0, 19)} UTC`);
  if (durationNanos > 0) {
    const total = profile.total(column);
    const share = type.unit === 'nanoseconds' && total ? ` (${percentage(total, durationNanos).trim()})` : '';
    const samples = formatValue(total, type.unit, 'auto');
    lines.push(`Duration: ${formatValue(durationNanos, 'nanoseconds', 'auto')}, Total samples = ${samples}${share}`);
  }
  return text(lines, 0);
}

/** Joins lines, each with its newline; longer ones than `widthColumns` end in `…`. */
export function text(lines: readonly string[], widthColumns: number): string {
  const cut = (line: string) =>
    widthColumns > 0 && line.length > widthColumns ? `${line.slice(0, widthColumns - 1)}…` : line;
  return lines.map((line) => `${cut(line)}\n`).join('');
}

function order(sort: 'flat' | 'cum'): (a: GraphNode, b: GraphNode) => number {
  return (a, b) => Math.abs(b[sort]) - Math.abs(a[sort]) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
