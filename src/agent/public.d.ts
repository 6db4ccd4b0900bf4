/** What the package exports; shipped as it is. `listen` and `close` in index.ts are checked against it. */

/** gops' options, with gops' meanings, and those of a process in a pod. All are optional. */
export interface ListenOptions {
  /**
   * `HOST:PORT`, `HOST` or `:PORT` of the port the processes of a pod share. Port 0 shares none: the agent then answers on a
   * port of its own choice only.
   * @default '127.0.0.1:8848', or NODEOPS_ADDR and NODEOPS_PORT
   */
  addr?: string;
  /** Where the file named like the process id is kept, holding the agent's own port. @default GOPS_CONFIG_DIR or ~/.config/gops */
  configDir?: string;
  /** Removes that file when the process exits. @default true */
  shutdownCleanup?: boolean;
  /** Sets SO_REUSEPORT on the shared port (Node 22.12 or newer). @default false */
  reuseSocketAddrAndPort?: boolean;
  /** Name of the container, shown before the process id. @default NODEOPS_CONTAINER */
  container?: string;
  /** Requests must then carry it as `Authorization: Bearer TOKEN`. @default the content of NODEOPS_TOKEN_FILE, or NODEOPS_TOKEN */
  token?: string;
  /** Refuses every operation that changes something. @default NODEOPS_READ_ONLY */
  readOnly?: boolean;
  /**
   * `watch`: one process of a container is watched and watches (`history`, stalls, triggers, crash records). `standby`: nothing runs until
   * somebody asks. @default NODEOPS_MODE, else 'watch'
   */
  mode?: 'watch' | 'standby';
  /** Milliseconds without a request after which a process that is not its container's first goes back to sleep. @default 60000 */
  sleepAfterMs?: number;
  /**
   * Keeps where handles, requests and timers are created, for `waits`. It costs every creation and every promise some
   * microseconds and up to a few MB (docs/commands/waits.md). @default whether NODEOPS_TRACK is 'async'
   */
  track?: boolean;
}

/** A running agent. */
export interface AgentHandle {
  /** The port on 127.0.0.1 that answers for this process alone. */
  readonly port: number;
  /** Stops the agent and removes its file. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts the agent of this process, or returns the one that runs (the preload entry may have started it). Resolves when it answers.
 * Resolves with `undefined` where an agent steps aside: in worker threads, on Node older than 20, under a permission model that
 * allows no workers, or when it could not answer within five seconds.
 * Rejects with a TypeError that names the option when one makes no sense.
 */
export declare function listen(options?: ListenOptions): Promise<AgentHandle | undefined>;

/** Stops the agent of this process, if one runs. */
export declare function close(): Promise<void>;
