/** One agent a process, however many copies of this package it loads. */
import type { Settings } from '../settings/agent-settings.ts';
import { type Guest, startGuest } from './guest.ts';

const key = Symbol.for('nodeops.agent');
const place = globalThis as { [key]?: Guest };

export function running(): Guest | undefined {
  return place[key];
}

export function start(settings: Settings, workerSource: string): Guest {
  const guest = startGuest(settings, workerSource);
  const only: Guest = {
    ready: guest.ready,
    async close() {
      if (place[key] === only) delete place[key];
      await guest.close();
    },
  };
  Object.defineProperty(place, key, { value: only, configurable: true, enumerable: false });
  return only;
}
