/** Waking a sleeper over its lease. */
import { builtin } from '../builtin.ts';
import type { HeldLease } from './leases.ts';

/** Within this a main thread that turns has heard that it should wake. */
const hearMs = 250;
/** Within this its worker has started; a machine with little CPU takes its time. */
const startMs = 1_500;

/** Between asleep and awake, for one sleeper. Askers that come together wake it once. */
export function napping(lease: HeldLease, expected: Map<string, (port: number, lease: HeldLease) => void>) {
  let port: number | undefined;
  let waking: Promise<number | undefined> | undefined;
  // a wake that was not heard stays in the sleeper's socket: another would only lengthen the queue
  let unheard = false;
  let heard: (what: 'waking' | 'late') => void = () => {};

  function wake(): Promise<number | undefined> {
    if (port !== undefined) return Promise.resolve(port);
    waking ??= attempt().finally(() => {
      waking = undefined;
    });
    return waking;
  }

  function attempt(): Promise<number | undefined> {
    if (unheard) return Promise.resolve(undefined);
    const key = builtin<typeof import('node:crypto')>('node:crypto').randomBytes(16).toString('hex');
    return new Promise((resolve) => {
      const done = (result: number | undefined) => {
        clearTimeout(patience);
        resolve(result);
      };
      let patience = setTimeout(done, hearMs, undefined);
      unheard = true;
      heard = (what) => {
        unheard = false;
        clearTimeout(patience);
        if (what === 'late') {
          expected.delete(key);
          return done(undefined);
        }
        patience = setTimeout(() => {
          expected.delete(key);
          done(undefined);
        }, startMs);
      };
      expected.set(key, (own, workerLease) => {
        port = own;
        workerLease.ended = () => {
          port = undefined;
        };
        done(own);
      });
      lease.send({ t: 'wake', key, at: Date.now() });
    });
  }

  return {
    wake,
    heard: (what: 'waking' | 'late') => heard(what),
    end: () => {
      port = undefined;
    },
  };
}
