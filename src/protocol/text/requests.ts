import type { OutboundPool, RequestInFlight, RequestsReply, RouteUse } from '../requests.ts';
import { duration } from './quantities.ts';

/** Groups in flight and routes that are shown; the rest is counted. */
const shown = 30;

/** Requests under way, those alike in one line and the oldest first; then what ended meanwhile by route; then pools of connections. */
export function requestsText(reply: RequestsReply): string[] {
  const blocks = [inFlightLines(reply)];
  if (reply.windowMs > 0) blocks.push(routeLines(reply));
  if (reply.pools.length > 0) blocks.push(['outbound connections:', ...reply.pools.slice(0, shown).map(poolLine)]);
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

export function requestName({ method, host, route }: Pick<RouteUse, 'method' | 'host' | 'route'>): string {
  return `${method} ${host ?? ''}${route}`;
}

/** `12.00s`, `at least 3.10s`, `new` for one that was not there before. */
export function requestAge({ ageMs, ageIsLeast }: Pick<RequestInFlight, 'ageMs' | 'ageIsLeast'>): string {
  if (ageMs === null) return 'seen just now';
  return `${ageIsLeast ? 'at least ' : ''}${duration(ageMs)}`;
}

function inFlightLines({ inFlight, total }: RequestsReply): string[] {
  if (total === 0) return ['in flight: none'];
  const groups = new Map<string, RequestInFlight[]>();
  for (const request of inFlight) {
    const name = `${request.direction === 'incoming' ? 'in ' : 'out'}  ${requestName(request)}, ${request.state}`;
    groups.set(name, [...(groups.get(name) ?? []), request]);
  }
  const lines = [...groups].slice(0, shown).map(([name, [oldest, ...more]]) => {
    const peer =
      oldest!.peer && more.length === 0 ? `, ${oldest!.direction === 'incoming' ? 'from' : 'to'} ${oldest!.peer}` : '';
    const age = `${more.length > 0 ? 'oldest ' : ''}${requestAge(oldest!)}`;
    return `    ${more.length > 0 ? `${more.length + 1} × ` : ''}${name}, ${age}${peer}`;
  });
  const rest = groups.size - lines.length;
  return [
    `in flight: ${total}`,
    ...lines,
    ...(rest > 0 ? [`    and ${rest} more kinds`] : []),
    ...(total > inFlight.length ? [`    ${total - inFlight.length} more are not listed`] : []),
  ];
}

function routeLines({ routes, windowMs }: RequestsReply): string[] {
  if (routes.length === 0) return [`ended within ${duration(windowMs)}: none`];
  const lines = routes.slice(0, shown).map((route) => {
    const { count, failed, p50Ms, p99Ms, maxMs, direction } = route;
    const perSecond = (count / windowMs) * 1000;
    const times =
      p50Ms === null || p99Ms === null || maxMs === null
        ? []
        : [`p50 ${duration(p50Ms)}, p99 ${duration(p99Ms)}, max ${duration(maxMs)}`];
    const parts = [`${perSecond.toFixed(1)}/s`, ...times, ...(failed > 0 ? [`${failed} of ${count} failed`] : [])];
    return `    ${direction === 'incoming' ? 'in ' : 'out'}  ${requestName(route)}: ${parts.join(', ')}`;
  });
  const rest = routes.length - lines.length;
  return [`ended within ${duration(windowMs)}:`, ...lines, ...(rest > 0 ? [`    and ${rest} more routes`] : [])];
}

function poolLine({ kind, to, used, idle, queued, limit }: OutboundPool): string {
  return `    ${kind === 'pool' ? '' : `${kind} `}${to}: ${used} used${limit === null ? '' : ` of ${limit}`}, ${idle} idle, ${queued} queued`;
}
