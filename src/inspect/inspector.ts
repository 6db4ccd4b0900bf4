/**
 * A line to V8's inspector of one process. Two implementations: a worker's session to its main thread (`local.ts`) and the
 * DevTools protocol over a WebSocket (`remote.ts`). Readings and captures are written once, against this.
 */
export interface Inspector {
  /**
   * Sends a command and waits for its answer.
   * Throws NodeopsError `stuck` after `timeoutMs` (default: limits.readDeadlineMs): the main thread is in native code;
   * `failed` when the inspector refuses the command; `no-such-process` when the process or the session has ended.
   */
  post<R = Record<string, unknown>>(method: string, params?: object, options?: { timeoutMs?: number }): Promise<R>;
  /** Calls `listener` with the params of each notification of that method; returns what stops it. */
  on(method: string, listener: (params: never) => void): () => void;
  /**
   * Lets go of the session until the next post, for as long as nothing is asked; what was enabled is not any more. Only
   * where staying would be noticed: an app that exits with a session prints "Waiting for the debugger to disconnect…".
   */
  rest?(): void;
  /** Ends the session: whatever it paused runs on, whatever it started is stopped. Safe to call twice. */
  close(): Promise<void>;
}
