import type { GcReply, SetgcReply } from '../replies.ts';
import { line } from './lines.ts';
import { bytesWithExact, duration } from './quantities.ts';

/** The lines of `gc`: what was freed and how long it paused. */
export function gcText(reply: GcReply): string[] {
  return [
    line('freed', freed(reply)),
    line('heap-used', `${bytesWithExact(reply.usedBeforeBytes)} before, ${bytesWithExact(reply.usedAfterBytes)} after`),
    line(
      'heap-total',
      `${bytesWithExact(reply.totalBeforeBytes)} before, ${bytesWithExact(reply.totalAfterBytes)} after`,
    ),
    ...outside(reply),
    line('pause', `at most ${duration(reply.pauseMs)}`),
  ];
}

/** What counts may be outside the heap: a small object can hold a large buffer. */
function freed({ freedBytes, externalBeforeBytes, externalAfterBytes }: GcReply): string {
  const outsideBytes = (externalBeforeBytes ?? 0) - (externalAfterBytes ?? 0);
  return outsideBytes > 0
    ? `${bytesWithExact(freedBytes)} of the heap, ${bytesWithExact(outsideBytes)} outside it`
    : bytesWithExact(freedBytes);
}

/** What objects held outside the heap, and what the system got back. */
function outside({ externalBeforeBytes, externalAfterBytes, rssBeforeBytes, rssAfterBytes }: GcReply): string[] {
  const change = (name: string, before: number | null | undefined, after: number | null | undefined) =>
    typeof before === 'number' && typeof after === 'number'
      ? [line(name, `${bytesWithExact(before)} before, ${bytesWithExact(after)} after`)]
      : [];
  return [
    ...change('external', externalBeforeBytes, externalAfterBytes),
    ...change('rss', rssBeforeBytes, rssAfterBytes),
  ];
}

/** `setgc` in gops' words, then what V8 makes of it. */
export function setgcText({ previous, current, note }: SetgcReply): string[] {
  const said = (percent: number | null) => (percent === null ? 'off' : String(percent));
  return [`New GC percent set to ${said(current)}. Previous value was ${said(previous)}.`, note];
}
