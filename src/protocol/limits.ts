/** Every size, count and wait of the protocol, with its unit in its name. Documented in docs/protocol.md. */

/** The port an agent listens on in a pod; annotation `nodeops.dev/port` and `NODEOPS_PORT` change it. */
export const knownPort = 8848;
/** Raised when an older peer could no longer read the replies. */
export const protocolVersion = 1;

export const limits = {
  /** Request line and headers that an agent accepts. */
  requestHeadBytes: 8 * 1024,
  /** Request body that an agent accepts. */
  requestBodyBytes: 64 * 1024,
  /** JSON reply that the plugin accepts. */
  replyBytes: 32 * 1024 * 1024,
  /** Connections that an agent serves at the same time; a further one is closed. */
  connections: 64,
  /** Silence after which an agent closes a connection that has not sent a whole request. */
  requestTimeoutMs: 10_000,
  /** Silence after which an agent closes an idle kept-alive connection. */
  idleConnectionMs: 60_000,
  /** Within this an agent answers a read, whatever the main thread does. */
  readDeadlineMs: 2_000,
  /** A running capture that nobody asked about for this long is stopped. */
  jobAbandonedMs: 60_000,
  /** How long the artifact of a finished capture is kept for whoever comes to fetch it. */
  jobKeptMs: 600_000,
  /** Finished captures kept for one process. */
  jobsKept: 8,
  /** What a process may keep on disk of its artifacts, oldest first out. */
  artifactStoreBytes: 4 * 1024 * 1024 * 1024,
  /** Bytes of an artifact that wait in memory for a client when nothing can be kept on disk. */
  artifactWindowBytes: 8 * 1024 * 1024,
  /** Processes that register with one leader. */
  processes: 512,
} as const;
