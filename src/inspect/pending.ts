import type { Pending } from '../protocol/replies.ts';
import { evaluateProbe } from './evaluate.ts';
import type { Inspector } from './inspector.ts';
import { pendingProbe } from './probes/pending.ts';
import { describeTimers } from './timers.ts';

/** Details a type, and what is read of an app to find them. */
const detailsPerType = 20;
const detailsRead = 400;

/** What an idle loop waits for, by resource type, most of them first. */
export async function readPending(inspector: Inspector): Promise<Pending[]> {
  const { resources, details } = await evaluateProbe(inspector, pendingProbe, { limit: detailsRead });
  const timers = resources?.includes('Timeout') ? await describeTimers(inspector, detailsPerType) : [];
  const pending = new Map<string, Pending>();
  for (const type of resources ?? []) {
    const known = pending.get(type) ?? { type, count: 0, details: type === 'Timeout' ? timers : [] };
    known.count++;
    pending.set(type, known);
  }
  for (const { type, detail } of details) {
    const known = pending.get(type);
    if (known && known.details.length < detailsPerType) known.details.push(detail);
  }
  return [...pending.values()].sort((a, b) => b.count - a.count);
}
