/** What answers on a port when it is not our agent: said by name, so that the user looks in the right place. */
import type { IncomingMessage } from 'node:http';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Endpoint } from '../target.ts';
import { goVersion } from '../transport/gops/ask.ts';

export function httpStranger(endpoint: Endpoint, response: IncomingMessage): NodeopsError {
  const server = response.headers.server ?? response.headers['x-powered-by'];
  const who = server === undefined ? 'an HTTP server' : `the HTTP server '${String(server).slice(0, 60)}'`;
  return stranger(endpoint, `${who} answers (status ${response.statusCode}), which is no nodeops agent`);
}

/** `first` are the first bytes that came. */
export function garbage(endpoint: Endpoint, first: Buffer | undefined): NodeopsError {
  const text = first
    ?.toString('latin1', 0, 60)
    .replace(/[^\x20-\x7e]+/g, '.')
    .trim();
  return stranger(endpoint, `something that is no nodeops agent answers${text ? `: '${text}'` : ''}`);
}

/** For a port that closes HTTP connections without a byte, and is no gops agent. */
export function silentStranger(endpoint: Endpoint): NodeopsError {
  return stranger(endpoint, 'whatever listens there closes the connection without an answer');
}

/**
 * The error that names the gops agent of a Go process, with its version as `detail.go`; undefined when there is none. A gops agent
 * closes the connection on a signal it does not know, such as the first byte of HTTP.
 */
export async function goStranger(endpoint: Endpoint, signal: AbortSignal): Promise<NodeopsError | undefined> {
  const go = await goVersion(endpoint, signal).catch(() => undefined);
  if (go === undefined) return undefined;
  const message = `${endpoint.name}: the gops agent of a Go process (${go}) answers, not a nodeops agent`;
  return new NodeopsError('no-agent', message, {
    hint: 'of a Go process there are stats, stack, memstats, version, gc, setgc, pprof-cpu, pprof-heap and trace',
    detail: { go },
  });
}

function stranger(endpoint: Endpoint, what: string): NodeopsError {
  return new NodeopsError('no-agent', `${endpoint.name}: ${what}`, {
    hint: endpoint.noAgentHint,
  });
}
