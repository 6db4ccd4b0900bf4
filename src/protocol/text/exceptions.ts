import type { ExceptionGroup, ExceptionsReply } from '../exceptions.ts';
import { duration } from './quantities.ts';

const groupsShown = 20;
const framesShown = 8;
const words = { uncaught: 'uncaught', rejection: 'unhandled rejection', thrown: 'thrown' } as const;

/** What was thrown, by where, the last first; `now`: what times are told from, in milliseconds since 1970. */
export function exceptionsText({ since, groups, watched }: ExceptionsReply, now: number = Date.now()): string[] {
  const ago = (at: string) => `${duration(Math.max(0, now - Date.parse(at)))} ago`;
  const blocks = groups
    .slice(0, groupsShown)
    .map((group) => [
      `${group.count} × ${words[group.origin]} ${group.name}${group.message && `: ${group.message}`}`,
      `    ${group.count > 1 ? `first ${ago(group.firstAt)}, last` : 'at'} ${ago(group.lastAt)}`,
      ...frameLines(group),
    ]);
  const rest = groups.length - blocks.length;
  if (rest > 0) blocks.push([`and ${rest} more kinds`]);
  const heads = [
    since === null ? 'uncaught exceptions: not kept' : `uncaught exceptions and rejections kept since ${since}`,
    ...(watched
      ? [
          `thrown within ${duration(watched.windowMs)}: ${watched.seen} (${((watched.seen / watched.windowMs) * 1000).toFixed(1)}/s), for which the main thread stood still ${duration(watched.pausedMs)} at most`,
        ]
      : []),
  ];
  return [...heads, ...(groups.length === 0 ? ['none'] : []), ...blocks.flatMap((block) => ['', ...block])];
}

function frameLines({ frames }: ExceptionGroup): string[] {
  const lines = frames
    .slice(0, framesShown)
    .map(({ function: name, file, line, column }) => `    at ${name} (${file}:${line}:${column})`);
  const rest = frames.length - lines.length;
  return rest > 0 ? [...lines, `    and ${rest} more frames`] : lines;
}
