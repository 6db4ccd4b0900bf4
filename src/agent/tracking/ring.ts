/** The newest `limit` entries. */
export class Ring<T> {
  readonly #limit: number;
  readonly #entries: T[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Takes one in; returns the oldest when it had to go. */
  push(entry: T): T | undefined {
    const oldest = this.#entries[this.#next];
    this.#entries[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#limit;
    return oldest;
  }
}
