/** While the app has SIGUSR1 for itself, others of the container can see it: the signal opens the inspector otherwise. */
import { markOwnSigusr1 } from '../membership/holders.ts';
import { guarded } from './guarded.ts';

/** `unmarkable`: called where it cannot be shown. Returns what ends it. */
export function showOwnSigusr1(unmarkable: () => void): () => void {
  let unmark: (() => void) | undefined;
  const mark = (): void => {
    if (unmark) return;
    unmark = markOwnSigusr1();
    if (!unmark) unmarkable();
  };
  // before the first handler is in place, and after the last has gone
  const added = guarded((name: string | symbol) => {
    if (name === 'SIGUSR1') mark();
  });
  const removed = guarded((name: string | symbol) => {
    if (name !== 'SIGUSR1' || process.listenerCount('SIGUSR1') > 0) return;
    unmark?.();
    unmark = undefined;
  });
  if (process.listenerCount('SIGUSR1') > 0) mark();
  process.on('newListener', added);
  process.on('removeListener', removed);
  return () => {
    process.off('newListener', added);
    process.off('removeListener', removed);
    unmark?.();
  };
}
