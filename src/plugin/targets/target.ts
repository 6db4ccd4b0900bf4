import type { Duplex } from 'node:stream';

/** A way to reach what listens on one port: a pod behind the API server, or an address. */
export interface Endpoint {
  /** What messages call it: `pod/api-0`, `127.0.0.1:8848`, `process 4711`. */
  readonly name: string;
  readonly pod?: { readonly namespace: string; readonly name: string };
  /**
   * Opens one connection to the agent's port. Backpressure holds both ways.
   * Throws NodeopsError `no-agent` when nothing listens there, `unreachable`, `forbidden`, `unauthenticated`,
   * `no-such-pod`, `pod-not-running`. A connection that dies later is destroyed with a NodeopsError (`stalled`, `unreachable`).
   */
  connect(signal: AbortSignal): Promise<Duplex>;
}

/** A process to ask, with a way to reach it. */
export interface Target {
  readonly endpoint: Endpoint;
  /** Selector of the process behind the endpoint (`PID`, `CONTAINER`, `CONTAINER/PID`); undefined where there is only one. */
  readonly process: string | undefined;
}
