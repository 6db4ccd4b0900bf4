import type { Duplex } from 'node:stream';
import type { NodeopsError } from '../protocol/errors.ts';

/** One connection to what listens on a port. Backpressure holds both ways. */
export interface Transport extends Duplex {
  /** Told by the protocol whether an answer is due: only then can a connection that stands still be told from an idle one. */
  expectData?(expecting: boolean): void;
}

/** Who a target is, in parts; null is what does not apply or is not known. */
export interface TargetName {
  readonly namespace: string | null;
  readonly pod: string | null;
  readonly container: string | null;
  readonly pid: number | null;
  /** `HOST:PORT` or `process PID`, for what is no pod. */
  readonly address: string | null;
}

/** A way to reach what listens on one port: a pod behind the API server, or an address. */
export interface Endpoint {
  /** What messages call it: `pod/api-0`, `127.0.0.1:8848`, `process 4711`. */
  readonly name: string;
  readonly pod?: { readonly namespace: string; readonly name: string; readonly node?: string | undefined };
  /** Whether its processes are looked at from outside, by one inspector session: one question after the other. */
  readonly outside?: boolean;
  /** What to do about there being no agent. */
  readonly noAgentHint: string;
  /** Sent to agents that ask for one. */
  readonly token?: string | undefined;
  /**
   * Opens one connection to the agent's port.
   * Throws NodeopsError `no-agent` when nothing listens there, `unreachable`, `forbidden`, `unauthenticated`,
   * `no-such-pod`, `pod-not-running`; a signal that times out is `unreachable`, other aborts reject with its reason. A connection that dies later is destroyed with a NodeopsError (`stalled`, `unreachable`,
   * and `no-agent` where only the first bytes show that nothing listens).
   */
  connect(signal: AbortSignal): Promise<Transport>;
  /** Words an agent's error better by what else is known of the place, such as the pod's containers. */
  explain?(error: NodeopsError): Promise<NodeopsError>;
}

/** A process to ask, with a way to reach it. */
export interface Target {
  readonly endpoint: Endpoint;
  /** Selector of the process behind the endpoint (`PID`, `CONTAINER`, `CONTAINER/PID`); undefined where there is only one. */
  readonly process: string | undefined;
}
