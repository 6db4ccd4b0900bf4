/** What answers on a port when it is not our agent: said by name, so that the user looks in the right place. */
import type { IncomingMessage } from 'node:http';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Endpoint } from '../targets/target.ts';

/** gops' signal for "print the version", answered by `go1.24.1`. */
const gopsVersion = 0x04;
const gopsTimeoutMs = 2_000;

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

/** For a port that closes HTTP connections without a byte: a gops agent does so with a signal it does not know. */
export async function silentStranger(endpoint: Endpoint, signal: AbortSignal): Promise<NodeopsError> {
  const version = await gopsVersionOf(endpoint, signal).catch(() => undefined);
  if (version !== undefined)
    return stranger(endpoint, `the gops agent of a Go process (${version}) answers, not a nodeops agent`, {
      go: version,
    });
  return stranger(endpoint, 'whatever listens there closes the connection without an answer');
}

async function gopsVersionOf(endpoint: Endpoint, signal: AbortSignal): Promise<string | undefined> {
  const transport = await endpoint.connect(AbortSignal.any([signal, AbortSignal.timeout(gopsTimeoutMs)]));
  const timer = setTimeout(() => transport.destroy(), gopsTimeoutMs);
  try {
    transport.write(Buffer.of(gopsVersion));
    let text = '';
    for await (const chunk of transport) {
      text += (chunk as Buffer).toString('latin1');
      if (text.length > 256 || text.includes('\n')) break;
    }
    return /^(?:go\d|devel )/.test(text) ? text.trim().slice(0, 80) : undefined;
  } finally {
    clearTimeout(timer);
    transport.destroy();
  }
}

function stranger(endpoint: Endpoint, what: string, detail?: Record<string, unknown>): NodeopsError {
  return new NodeopsError('no-agent', `${endpoint.name}: ${what}`, {
    hint: endpoint.noAgentHint,
    ...(detail && { detail }),
  });
}
