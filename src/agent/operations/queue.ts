/** One at a time for each key: two askers do not pause, or open the inspector of, one process at once. */
import { NodeopsError } from '../../protocol/errors.ts';

const waitingLimit = 16;
const queues = new WeakMap<object, { last: Promise<unknown>; length: number }>();

/** Runs `work` after those that came before for the same key. Throws `busy` when too many wait already. */
export async function queued<T>(key: object, work: () => Promise<T>): Promise<T> {
  const queue = queues.get(key) ?? { last: Promise.resolve(), length: 0 };
  queues.set(key, queue);
  if (queue.length >= waitingLimit)
    throw new NodeopsError('busy', `${waitingLimit} requests wait for this process already`);
  queue.length++;
  const turn = queue.last.then(work);
  queue.last = turn.then(
    () => queue.length--,
    () => queue.length--,
  );
  return turn;
}
