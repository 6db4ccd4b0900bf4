/** The source of the lines that took most of a CPU profile, put into its nodes as `source`. */

import { filePath } from '../../source-maps/frames.ts';
import type { CallFrame } from '../frames.ts';
import { SourceText } from '../source-text.ts';

interface Node {
  readonly callFrame: CallFrame;
  readonly hitCount?: number;
  readonly positionTicks?: readonly { line: number; ticks: number }[];
  source?: { line: number; ticks: number; text: string }[];
}

const nodesShown = 40;
const linesShown = 3;

/** `root`: directory that paths of the process start from. */
export function addHotLines(profile: object, root: string): void {
  const { nodes } = profile as { nodes: Node[] };
  const texts = new SourceText(root);
  const hottest = nodes
    .filter(({ positionTicks }) => positionTicks?.length)
    .sort((a, b) => (b.hitCount ?? 0) - (a.hitCount ?? 0));
  for (const node of hottest.slice(0, nodesShown)) {
    const { url, lineNumber, columnNumber } = node.callFrame;
    const lines = [...node.positionTicks!].sort((a, b) => b.ticks - a.ticks).slice(0, linesShown);
    const source = lines.flatMap(({ line, ticks }) => {
      const text = texts.at(filePath(url), line, line === lineNumber + 1 ? columnNumber + 1 : 1);
      return text === undefined ? [] : [{ line, ticks, text }];
    });
    if (source.length > 0) node.source = source;
  }
}
