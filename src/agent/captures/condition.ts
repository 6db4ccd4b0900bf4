/** Wakes whoever waits for something to change. */
export class Condition {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when notified, or after `milliseconds`; with whether it was. */
  wait(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (notified: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(notified);
      };
      const wake = (): void => done(true);
      const timer = setTimeout(done, milliseconds, false);
      this.#waiting.add(wake);
    });
  }
}
