import type { Pending } from '../protocol/replies.ts';
import { referProbe } from './evaluate.ts';
import { returnedValue } from './functions.ts';
import type { Inspector } from './inspector.ts';
import { type ActiveFigures, type ActiveItem, activeProbe } from './probes/active.ts';
import { readTimers, timerSentence } from './timers.ts';

/** Details a type, and what is read of an app to find them. */
const detailsPerType = 20;
const detailsRead = 400;
const group = 'nodeops-pending';

/** What an idle loop waits for, by resource type, most of them first: the short form of `waits`. */
export async function readPending(inspector: Inspector): Promise<Pending[]> {
  const { resources, items } = await readActive(inspector);
  const { timers } = resources?.includes('Timeout')
    ? await readTimers(inspector, { limit: detailsPerType, places: false })
    : { timers: [] };
  const pending = new Map<string, Pending>();
  for (const type of resources ?? []) {
    const known = pending.get(type) ?? { type, count: 0, details: type === 'Timeout' ? timers.map(timerSentence) : [] };
    known.count++;
    pending.set(type, known);
  }
  for (const item of items) {
    const known = pending.get(item.type);
    const detail = sentence(item);
    if (detail !== null && known && known.details.length < detailsPerType) known.details.push(detail);
  }
  return [...pending.values()].sort((a, b) => b.count - a.count);
}

/** Without the places of callbacks, which take further questions. */
async function readActive(inspector: Inspector): Promise<ActiveFigures> {
  try {
    const { objectId } = await referProbe(inspector, activeProbe, { limit: detailsRead }, group);
    return await returnedValue<ActiveFigures>(inspector, objectId);
  } finally {
    inspector.post('Runtime.releaseObjectGroup', { objectGroup: group }).catch(() => {});
  }
}

function sentence({ kind, id, name, local, remote, connecting }: ActiveItem): string | null {
  switch (kind) {
    case 'process':
      return `${name} (pid ${id})`;
    case 'worker':
      return `worker ${id}`;
    case 'terminal':
      return `terminal on descriptor ${id}`;
    case 'dns':
      return name === null ? null : `looking up ${name}`;
    default:
      if (remote !== null) return `${local} to ${remote}`;
      if (connecting) return 'connecting';
      return local ?? name;
  }
}
