/** What an agent that tracks creations leaves for probes to find: `globalThis[Symbol.for('nodeops.creations')]`, not enumerable. */

export interface CreationFrame {
  readonly function: string;
  /** Path or URL. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** Where and when a resource came to be. */
export interface Creation {
  readonly ageMs: number;
  /** Innermost first. */
  readonly frames: readonly CreationFrame[];
}

export interface Creations {
  /** Of a resource as async_hooks names it: a handle, a request, a timer. Null when it is not, or no longer, known. */
  of(resource: object): Creation | null;
  facts(): { since: string; kept: number; limit: number };
}
