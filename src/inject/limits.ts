/** Sizes, counts and waits of the webhook, with their units. The chart's `webhook.timeoutSeconds` is the API server's side. */
export const webhookLimits = {
  /** Body of one AdmissionReview; the API server itself takes objects of up to 3 MiB, and sends the object alone on CREATE. */
  bodyBytes: 4 * 1024 * 1024,
  /** Bodies of all requests in flight; a request beyond is answered 503, and its pod goes on without the agent. */
  bufferedBytes: 32 * 1024 * 1024,
  connections: 1_024,
  /** From the first byte of a request to its last. */
  requestTimeoutMs: 5_000,
  /** From a connection to the end of its TLS handshake; Node's own limit is two minutes. */
  handshakeTimeoutMs: 5_000,
  /** Between looks at which connections are beyond their time; Node's own is half a minute. */
  checkIntervalMs: 1_000,
  /** Longer than the 90 s after which the API server drops an idle connection, so that we never close one it is about to use. */
  idleConnectionMs: 120_000,
  /** After SIGTERM, until the endpoints no longer name us. */
  drainMs: 5_000,
  /** Then, until connections still open are cut. */
  closeMs: 5_000,
  /** Between looks at the certificate's files. */
  certificatePollMs: 5_000,
} as const;
