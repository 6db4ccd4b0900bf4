/** Whether a signal SIGUSR1 may be sent to this process: it opens the inspector unless the app has taken the signal for itself. */
import { guarded } from './guarded.ts';

/** Whether the app handles SIGUSR1, or Node was told not to. */
export function ownsSigusr1(): boolean {
  const flags = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  return flags.includes('--disable-sigusr1') || process.listenerCount('SIGUSR1') > 0;
}

/** Calls `changed` when the app takes SIGUSR1 (before its first handler is in place) or gives it back; returns what stops it. */
export function watchSigusr1(changed: (own: boolean) => void): () => void {
  const added = guarded((name: string | symbol) => {
    if (name === 'SIGUSR1') changed(true);
  });
  const removed = guarded((name: string | symbol) => {
    if (name === 'SIGUSR1') changed(ownsSigusr1());
  });
  process.on('newListener', added);
  process.on('removeListener', removed);
  return () => {
    process.off('newListener', added);
    process.off('removeListener', removed);
  };
}
