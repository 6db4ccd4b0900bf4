/** The reply of `requests`: HTTP under way, in and out, and what came through while it was watched. */

/**
 * Of one that comes in: `reading` its body, `handling` (it has arrived whole, nothing is answered), `answering` (headers are sent). Of one
 * that goes out: `queued` for a connection, `connecting`, `sending`, `waiting` for the answer, `receiving` it.
 */
export type RequestState =
  | 'reading'
  | 'handling'
  | 'answering'
  | 'queued'
  | 'connecting'
  | 'sending'
  | 'waiting'
  | 'receiving';

export interface RequestInFlight {
  direction: 'incoming' | 'outgoing';
  /** `http`: Node's own, of HTTP/1. `http2`. `undici`: `fetch` and the package of that name. */
  by: 'http' | 'http2' | 'undici';
  method: string;
  /** Of an outgoing one. */
  host: string | null;
  /** Without the query, which may hold secrets; at most 200 characters. */
  path: string;
  /** The path with what looks like an id as `:id`, or the route of the framework where it tells. */
  route: string;
  state: RequestState;
  /** `ADDRESS:PORT` */
  peer: string | null;
  /** Exact for one that began while it was watched; else since it was first seen, by this or an earlier look; null for just now. */
  ageMs: number | null;
  /** Whether it is older than that. */
  ageIsLeast: boolean;
}

/** What ended on one route while it was watched. */
export interface RouteUse {
  direction: 'incoming' | 'outgoing';
  method: string;
  host: string | null;
  route: string;
  count: number;
  /** Answered with 500 or more, or broken off. */
  failed: number;
  /** From the request's start to the answer's end; of those that began while it was watched, null for none. */
  p50Ms: number | null;
  p99Ms: number | null;
  maxMs: number | null;
}

/** Connections to one place. */
export interface OutboundPool {
  /** Who keeps them; `pool`: what looks like one in the app or its packages (pg, mysql2, generic-pool, knex, mongodb, p-limit and such). */
  kind: 'http.Agent' | 'https.Agent' | 'undici' | 'pool';
  /** `HOST:PORT` or an origin; of a `pool` its class and the variable it is kept in. */
  to: string;
  used: number;
  idle: number;
  /** Requests that wait for a connection. */
  queued: number;
  /** Connections at most; null for no limit. */
  limit: number | null;
}

export interface RequestsReply {
  /** How long it was watched; 0 where only what is under way was asked for, or the main thread did not answer. */
  windowMs: number;
  /** How many are under way; more than `inFlight` has where there are more than 500. */
  total: number;
  /** Oldest first. */
  inFlight: RequestInFlight[];
  /** Most used first, at most 100. */
  routes: RouteUse[];
  pools: OutboundPool[];
}
