/** Waits of a capture as the plugin sees it; docs/errors.md names them where they show. */
export const captureLimits = {
  /** Without a way to the agent for this long, the capture is given up; time a laptop slept does not count. */
  reconnectMs: 300_000,
  /** The same where connections are refused: the agent's process has ended, and restarts of a leader take a second. */
  refusedMs: 20_000,
  /** Pause before the first new attempt; it doubles. */
  firstPauseMs: 250,
  longestPauseMs: 10_000,
  /** Silence after which a connection counts as dead. Progress is told once a second. */
  stallMs: 20_000,
  /** How long the agent gets to hear that a capture is abandoned. */
  abandonMs: 3_000,
  /** A state, stop or remove request. */
  requestMs: 10_000,
  /** Captures at the same time. */
  concurrency: 32,
  /** One line of progress. */
  progressLineBytes: 64 * 1024,
  /** An artifact of any kind, unless --max-size says otherwise. */
  artifactBytes: 8 * 1024 ** 3,
  /** A V8 profile that is converted. */
  profileBytes: 512 * 1024 * 1024,
} as const;

export type CaptureLimits = { readonly [K in keyof typeof captureLimits]: number };
