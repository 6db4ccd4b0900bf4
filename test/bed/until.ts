import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** A busy machine takes seconds to start a process. @default 40_000 */
  readonly withinMs?: number;
  /** @default 20 */
  readonly everyMs?: number;
}

/**
 * Tries until the attempt neither throws nor gives `false`, and resolves with what it gave. Throws the attempt's last error, or its text, when
 * the time is over.
 */
export async function until<T>(
  attempt: () => T | Promise<T>,
  { withinMs = 40_000, everyMs = 20 }: Patience = {},
): Promise<Exclude<T, false>> {
  for (const endAt = performance.now() + withinMs; ; await sleep(everyMs)) {
    try {
      const given = await attempt();
      if (given !== false) return given as Exclude<T, false>;
      if (performance.now() > endAt) throw new Error(`not within ${withinMs} ms: ${attempt}`);
    } catch (error) {
      if (performance.now() > endAt) throw error;
    }
  }
}
