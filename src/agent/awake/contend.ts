/** Tries for the pod's known port: the kernel decides who is the door; the others register with it and try again when it goes. */
import { connect, type Server } from 'node:net';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { dialHost } from '../lease/address.ts';
import { encode, type FromHost, type Hello, isAcceptance, leaseReader, openingBytes } from '../lease/messages.ts';
import type { Settings } from '../settings.ts';

/** How often an agent looks whether a port that something else holds has become free. */
const slowMs = 5_000;
const answerMs = 1_000;

export interface Contention {
  /** `door`: this agent has the port. `registered`: another agent has. `alone`: neither. */
  readonly standing: 'door' | 'registered' | 'alone';
  /** Why it stands alone. */
  readonly obstacle: string | undefined;
  /** Tells the door which processes are here. */
  report(): void;
}

interface Parts {
  readonly settings: Settings;
  readonly server: Server;
  hello(): Hello;
  processes(): ProcessInfo[];
  /** Another agent is awake in this container. */
  sleep(): void;
}

/** Starts contending; goes on as long as the thread lives. */
export function contend({ settings, server, hello, processes, sleep }: Parts): Contention {
  const state = {
    standing: 'alone' as Contention['standing'],
    obstacle: undefined as string | undefined,
    report: () => {},
  };
  let refusals = 0;
  const later = (milliseconds: number) => void setTimeout(attempt, milliseconds + Math.random() * 30).unref();

  function attempt(): void {
    const listening = () => {
      server.off('error', taken);
      state.standing = 'door';
      state.obstacle = undefined;
    };
    const taken = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening);
      if (error.code === 'EADDRINUSE') return register();
      state.obstacle = `${settings.host}:${settings.port} cannot be listened on (${error.code ?? error.message})`;
      later(slowMs);
    };
    server.once('listening', listening).once('error', taken);
    // exclusive: in a cluster worker the primary would otherwise listen for it
    server.listen({ host: settings.host, port: settings.port, exclusive: true, reusePort: settings.reusePort });
  }

  function register(): void {
    const socket = connect({ host: dialHost(settings.host), port: settings.port, noDelay: true });
    let isAgent = false;
    let registered = false;
    let over = false;
    const patience = setTimeout(() => finish(), answerMs);
    const finish = () => {
      if (over) return;
      over = true;
      clearTimeout(patience);
      socket.destroy();
      state.report = () => {};
      state.standing = 'alone';
      if (!isAgent) state.obstacle = `${settings.host}:${settings.port} is taken by a program that is no nodeops agent`;
      // a door that went is succeeded at once; one that refused, or something else, is left in peace
      later(registered ? refusals * 40 : isAgent ? 1_000 : slowMs);
    };
    const read = leaseReader(
      (head) => {
        isAgent = isAcceptance(head);
        if (!isAgent) finish();
      },
      (message) => {
        const { t, sleep: shouldSleep } = message as FromHost & { sleep?: boolean };
        if (t !== 'registered') return finish();
        clearTimeout(patience);
        registered = true;
        refusals = 0;
        state.standing = 'registered';
        state.obstacle = undefined;
        state.report = () => socket.write(encode({ t: 'list', processes: processes() }));
        state.report();
        if (shouldSleep) sleep();
      },
    );
    socket.on('data', (chunk: Buffer) => {
      try {
        read(chunk);
      } catch {
        finish();
      }
    });
    // refused: the port became free in between
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // but not for long: a port held on another address refuses for ever
      if (error.code === 'ECONNREFUSED' && ++refusals <= 5) isAgent = registered = true;
      finish();
    });
    socket.on('close', finish);
    socket.on('connect', () => socket.write(openingBytes(hello())));
  }

  attempt();
  return {
    get standing() {
      return state.standing;
    },
    get obstacle() {
      return state.obstacle;
    },
    report: () => state.report(),
  };
}
