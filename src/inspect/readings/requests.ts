import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestsReply, RouteUse } from '../../protocol/requests.ts';
import { askMainThread } from '../ask.ts';
import { quantile } from '../delays.ts';
import { evaluateProbe } from '../evaluate.ts';
import { type RouteTimes, type WatchQuestion, watchRequests } from '../probes/request-watch.ts';
import { type RequestsFigures, requestsProbe } from '../probes/requests.ts';
import type { Readings } from '../subject.ts';
import { findAppPools } from './app-pools.ts';

/** Requests of a reply. */
const limit = 500;
const routesShown = 100;

/** `requests`: what is under way, read from the main thread's handles, and what ends while it is listened to. */
export const readRequests: Readings['requests'] = async (subject, { window }) => {
  const ask = (act: WatchQuestion['act']) =>
    askMainThread(subject, async (inspector) => {
      const routes = await evaluateProbe(inspector, watchRequests, { act, windowMs: window });
      return { ...(await evaluateProbe(inspector, requestsProbe, { limit })), routes };
    });
  const startedAt = performance.now();
  let { value, stuck } = await ask(window > 0 ? 'start' : 'none');
  let windowMs = 0;
  if (value && window > 0) {
    await sleep(window);
    const after = await ask('read');
    windowMs = performance.now() - startedAt;
    // stuck since: what was under way then still is
    value = after.value ?? value;
    stuck = after.stuck;
  }
  if (value) {
    const pools = stuck ? [] : ((await askMainThread(subject, findAppPools)).value ?? []);
    value.pools.push(...pools);
    return { data: replyOf(value, windowMs), stuck, notes: [] };
  }
  const nothing = { windowMs: 0, total: 0, inFlight: [], routes: [], pools: [] };
  return { data: nothing, stuck, notes: ['requests cannot be known while the main thread does not answer'] };
};

function replyOf(
  { total, inFlight, routes, pools }: RequestsFigures & { routes: RouteTimes[] | null },
  windowMs: number,
): RequestsReply {
  return {
    windowMs: routes ? windowMs : 0,
    total,
    inFlight: inFlight.sort((a, b) => (b.ageMs ?? 0) - (a.ageMs ?? 0)),
    routes: (routes ?? [])
      .map(timesOf)
      .sort((a, b) => b.count - a.count)
      .slice(0, routesShown),
    pools: pools.sort((a, b) => b.queued - a.queued || b.used - a.used),
  };
}

function timesOf({ ms, ...route }: RouteTimes): RouteUse {
  const sorted = ms.sort((a, b) => a - b);
  return { ...route, p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), maxMs: sorted.at(-1) ?? null };
}
