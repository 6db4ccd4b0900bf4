import { NodeopsError } from '../../protocol/errors.ts';
import type { Pending } from '../../protocol/replies.ts';
import { referProbe } from '../evaluate.ts';
import { returnedValue } from '../functions.ts';
import type { Inspector } from '../inspector.ts';
import { type ActiveFigures, type ActiveItem, activeProbe } from '../probes/active.ts';
import type { Subject } from '../subject.ts';
import { readTimers, timerSentence } from './timers.ts';

/** Details a type, and what is read of an app to find them. */
const detailsPerType = 20;
const detailsRead = 400;
const group = 'nodeops-pending';

/** What an idle loop waits for, by resource type, most of them first: the short form of `waits`. */
export async function readPending(subject: Subject, inspector: Inspector): Promise<Pending[]> {
  const { resources, items } = await readActive(inspector);
  if (resources?.length === 0 && (await awaitsDebugger(inspector)))
    return [{ type: debuggerType, count: 1, details: [debuggerWanted] }];
  const { timers } = resources?.includes('Timeout')
    ? await readTimers(subject, inspector, { limit: detailsPerType, places: false })
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

/** What `--inspect-brk` and `--inspect-wait` hold is no resource of the loop; it has a type all the same, as the rest has. */
export const debuggerType = 'Debugger';
export const debuggerWanted = 'nothing has run yet, --inspect-brk or --inspect-wait holds it until one is attached';

/** Whether the process is held before its first line. Node before 20.12 does not say. */
export async function awaitsDebugger(inspector: Inspector): Promise<boolean> {
  let told = false;
  const stop = inspector.on('NodeRuntime.waitingForDebugger', () => {
    told = true;
  });
  try {
    // what is so already is told before the answer
    await inspector.post('NodeRuntime.enable');
    await inspector.post('NodeRuntime.disable');
  } catch (error) {
    if (!(error instanceof NodeopsError && error.code === 'failed')) throw error;
  } finally {
    stop();
  }
  return told;
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
