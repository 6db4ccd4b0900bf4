/** Which worker threads a session is attached to. */

type Listen = (method: string, listener: (params: { sessionId: string }) => void) => void;

/**
 * A session that ends while it is attached to worker threads leaves some 9 KB of native memory behind in each, our own included,
 * whether or not it disabled the domain: so it detaches from each before it ends.
 */
export class AttachedWorkers {
  readonly #ids = new Set<string>();

  constructor(listen: Listen) {
    listen('NodeWorker.attachedToWorker', ({ sessionId }) => this.#ids.add(sessionId));
    listen('NodeWorker.detachedFromWorker', ({ sessionId }) => this.#ids.delete(sessionId));
  }

  /** Not waited for: commands are served in the order they were sent, the end of the session after them. */
  letGo(post: (method: 'NodeWorker.detach', params: { sessionId: string }) => void): void {
    for (const sessionId of this.#ids) post('NodeWorker.detach', { sessionId });
    this.#ids.clear();
  }
}
