import type http from 'node:http';

/** What a request or WebSocket to the API server needs besides its URL. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: {
    ca?: Buffer;
    cert?: Buffer | string;
    key?: Buffer | string;
    rejectUnauthorized?: boolean;
    servername?: string;
  };
  /** Keeps connections alive and resumes TLS sessions between REST and WebSockets. */
  readonly agent: http.Agent;
  /** For messages: `a bearer token`, `no credentials`, … */
  readonly kind: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export interface HttpsOptions extends Mutable<Credentials['tls']> {
  headers: Record<string, string | string[]>;
  agent?: http.Agent;
}
