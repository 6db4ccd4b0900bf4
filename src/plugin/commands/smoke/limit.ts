/** Limits as they are typed: `100ms`, `0.9`, `80%`, `512Mi`, `20`, `>=22`. One value behind flags and file. */
import { satisfies, validRange } from 'semver';
import { bytesShort, duration, percent } from '../../../protocol/text/quantities.ts';
import { parseSize } from '../../cli/size.ts';
import { parseGoDuration } from '../../transport/kube/options.ts';

/** What a limit is of. */
export type Unit = 'milliseconds' | 'share' | 'bytes' | 'count' | 'version';

export type Limit =
  | { readonly unit: 'milliseconds' | 'share' | 'bytes' | 'count'; readonly most: number }
  /** Of what the process may have at most. */
  | { readonly unit: 'part'; readonly most: number }
  | { readonly unit: 'version'; readonly range: string };

/** What can be typed for a limit. `size` is bytes or a part of the process's own limit. */
export type LimitKind = 'duration' | 'share' | 'size' | 'count' | 'range';

/** For messages and help. */
export const takes: Readonly<Record<LimitKind, string>> = {
  duration: 'a duration such as 100ms or 2s',
  share: 'a share such as 0.9 or 90%',
  size: 'a size such as 512Mi, or a part of the limit such as 80%',
  count: 'a whole number such as 0 or 20',
  range: "a range of versions such as '>=22' or '^22.11'",
};

/** undefined for what is no such limit. */
export function parseLimit(kind: LimitKind, text: string): Limit | undefined {
  switch (kind) {
    case 'duration':
      return parseDuration(text);
    case 'share': {
      const most = parsePercent(text) ?? (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined);
      return most === undefined ? undefined : { unit: 'share', most };
    }
    case 'size': {
      const part = parsePercent(text);
      if (part !== undefined) return { unit: 'part', most: part };
      const most = parseSize(text);
      return most === undefined ? undefined : { unit: 'bytes', most };
    }
    case 'count':
      return /^\d{1,9}$/.test(text) ? { unit: 'count', most: Number(text) } : undefined;
    case 'range':
      return text.trim() === '' || validRange(text) === null ? undefined : { unit: 'version', range: text };
  }
}

function parseDuration(text: string): Limit | undefined {
  // a bare number says no unit, and seconds would be a surprise where milliseconds are usual
  if (/^\d+$/.test(text)) return undefined;
  try {
    return { unit: 'milliseconds', most: parseGoDuration(text, '') };
  } catch {
    return undefined;
  }
}

function parsePercent(text: string): number | undefined {
  const [, amount] = /^(\d{1,6}(?:\.\d{1,6})?) ?%$/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) / 100;
}

/** Whether a version is in a range; a pre-release counts as the version it leads to. */
export function inRange(version: string, range: string): boolean {
  return satisfies(version, range, { includePrerelease: true, loose: true });
}

export function limitText(limit: Limit): string {
  return limit.unit === 'version' ? limit.range : `≤ ${figureText(limit.unit, limit.most)}`;
}

/** A figure in words; shares and parts as percent. */
export function figureText(unit: Exclude<Limit['unit'], 'version'>, value: number): string {
  switch (unit) {
    case 'milliseconds':
      return duration(value);
    case 'share':
    case 'part':
      return percent(value);
    case 'bytes':
      return bytesShort(value);
    case 'count':
      return String(Math.round(value * 10) / 10);
  }
}
