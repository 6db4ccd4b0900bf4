/** The sockets and timers under the reducer of leadership: for a worker, and for the main thread of a process on standby. */
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Settings } from '../settings/agent-settings.ts';
import {
  beginLeadership,
  type LeadershipEffect,
  type LeadershipEvent,
  type LeadershipPaces,
  lead,
} from './leadership.ts';
import { isTaken, type Listening, listenOn } from './listen.ts';
import { type Machine, run } from './machine.ts';
import { hold, leaderName, link } from './names.ts';

export interface Contention {
  readonly leads: boolean;
  /** Why there is neither a leader nor the port for this one; a sentence. */
  readonly obstacle: string | undefined;
  end(): void;
}

interface Parts {
  readonly settings: Pick<Settings, 'host' | 'port' | 'reusePort'>;
  readonly paces: LeadershipPaces;
  /** Before the leader is connected to: on a main thread, that is seen by who counts handles in the app's first moments. */
  readonly linkAfterMs: number;
  /** A connection to the known port. */
  take(socket: Socket): void;
  /** This one leads, or does not any more. */
  changed?(): void;
}

export function contend({ settings, paces, linkAfterMs, take, changed }: Parts): Contention {
  const { port } = settings;
  let listening: Listening | undefined;
  let name: { release(): void } | undefined;
  let linked: { end(): void } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const later = (ms: number, act: () => void) => {
    clearTimeout(timer);
    timer = setTimeout(act, ms);
    timer.unref();
  };
  const letGo = (): void => {
    clearTimeout(timer);
    name?.release();
    listening?.close();
    linked?.end();
    name = listening = linked = undefined;
  };

  const act = (effect: LeadershipEffect, send: (event: LeadershipEvent) => void): void => {
    if (effect.do === 'listen') {
      const host = settings.host === 'localhost' ? '127.0.0.1' : settings.host;
      const outcome = listenOn({ ...settings, host }, take);
      if (typeof outcome !== 'number') {
        listening = outcome;
        send({ type: 'listened' });
      } else if (isTaken(outcome)) send({ type: 'taken' });
      else send({ type: 'failed', reason: `cannot be listened on (${getSystemErrorName(outcome)})` });
    } else if (effect.do === 'hold-name') {
      // another program may have taken it: the others then take the port for a stranger's, and look again from time to time
      name = hold(leaderName(port));
      changed?.();
    } else if (effect.do === 'link') {
      const connect = () => {
        linked = link(leaderName(port), (outcome) =>
          send({ type: outcome === 'held' ? 'linked' : outcome === 'lost' ? 'link-lost' : 'link-refused' }),
        );
      };
      if (machine === undefined && linkAfterMs > 0) later(linkAfterMs, connect);
      else connect();
    } else if (effect.do === 'wait') later(effect.ms, () => send({ type: 'due' }));
    else letGo();
  };

  let machine: Machine<ReturnType<typeof beginning>, LeadershipEvent> | undefined;
  const beginning = () => beginLeadership[0];
  machine = run(beginLeadership, (state, event) => lead(state, event, paces), act);
  return {
    get leads() {
      return machine?.state.is === 'leading';
    },
    get obstacle() {
      const state = machine?.state;
      if (state?.is !== 'waiting' || !state.obstacle) return undefined;
      return `${settings.host}:${port} ${state.obstacle}`;
    },
    end: () => machine?.send({ type: 'end' }),
  };
}
