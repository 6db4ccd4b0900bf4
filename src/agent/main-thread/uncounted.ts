/**
 * Node warns of a leak when an event has more listeners than a limit, 10 unless the app says otherwise. An app that is just
 * within it must not be warned because of ours. Raising the limit would be seen by the app, and undo what it does with
 * `EventEmitter.defaultMaxListeners`; so Node's own mark for "was warned already" is held while only ours make the difference.
 */
import { guarded } from './guarded.ts';

const events = ['exit', 'uncaughtExceptionMonitor', 'warning'] as const;
/** Listeners of an event, as Node keeps them where there are several. */
type Listeners = unknown[] & { warned?: boolean };

/** Who listens already: to be taken before we do. */
export function listenersNow(): ReadonlySet<unknown> {
  return new Set(events.flatMap((event): unknown[] => process.listeners(event as 'exit')));
}

/** From now on listeners added since `before` are not counted against the app's limit; returns what ends that. */
export function leaveUncounted(before: ReadonlySet<unknown>): () => void {
  const ours = new Set([...listenersNow()].filter((listener) => !before.has(listener)));
  const held = new WeakSet<Listeners>();
  // before a listener is added
  const adding = guarded((event: string | symbol): void => {
    if (!events.includes(event as 'exit')) return;
    const kept = (process as unknown as { _events?: Record<string, unknown> })._events;
    // a single listener is kept without a list, which could not be marked
    if (typeof kept?.[event as string] === 'function') kept[event as string] = [kept[event as string]];
    const all = kept?.[event as string];
    if (!isList(all)) return;
    const own = all.reduce<number>((count, listener) => count + Number(ours.has(listener)), 0);
    if (all.length + 1 - own <= process.getMaxListeners()) {
      if (all.warned) return;
      all.warned = true;
      held.add(all);
    } else if (held.delete(all)) all.warned = false;
  });
  process.on('newListener', adding);
  return () => process.off('newListener', adding);
}

function isList(listeners: unknown): listeners is Listeners {
  return Array.isArray(listeners);
}
