/** What a plugin and an agent of different releases cannot do together. */
import { captures } from '../captures.ts';
import { operations } from '../operations.ts';
import type { VersionReply } from '../replies.ts';
import { line } from './lines.ts';

const known = [...Object.keys(operations), ...Object.keys(captures)];

/** What this plugin asks for and the agent does not offer, and the other way round. */
export function skewOf({ offers }: Pick<VersionReply, 'offers'>): { lacks: string[]; more: string[] } | null {
  if (!offers) return null;
  return {
    lacks: known.filter((name) => !offers.includes(name)),
    more: offers.filter((name) => !known.includes(name)),
  };
}

export function skewText(version: VersionReply, plugin: string | undefined): string[] {
  const skew = skewOf(version);
  return [
    ...(plugin === undefined ? [] : [line('plugin', plugin)]),
    ...(skew === null ? [line('the agent lacks', 'unknown: it is older than this question')] : []),
    ...(skew && skew.lacks.length > 0 ? [line('the agent lacks', skew.lacks.join(', '))] : []),
    ...(skew && skew.more.length > 0 ? [line('the plugin lacks', `${skew.more.join(', ')} (update it)`)] : []),
  ];
}
