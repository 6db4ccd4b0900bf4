/** Wakes whoever waits for something to change. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  ring(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when it rings, or after `milliseconds`; with whether it rang. */
  wait(milliseconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (rang: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(rang);
      };
      const wake = (): void => done(true);
      const timer = setTimeout(done, milliseconds, false);
      this.#waiting.add(wake);
    });
  }
}
