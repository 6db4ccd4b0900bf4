/** Who may ask: the Host header, the header no browser sends cross-site, and the token. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { NodeopsError } from '../../protocol/errors.ts';
import { requestHeader } from '../../protocol/wire.ts';
import type { Settings } from '../settings/agent-settings.ts';

const loopback = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Throws `not-permitted`, `bad-request` or `unauthorized` with what the asker should change. `proven`: another agent asks, which has
 * proved that it knows the token.
 */
export function admit(headers: IncomingHttpHeaders, { host, token }: Settings, proven = false): void {
  const asked = headers.host;
  if (asked === undefined) throw new NodeopsError('bad-request', 'the Host header is missing');
  const name = asked.replace(/:\d{1,5}$/, '').replace(/^\[|\]$/g, '');
  // a name that was made to point here (DNS rebinding) is not one of ours
  if (!loopback.test(asked) && name.toLowerCase() !== host.toLowerCase())
    throw new NodeopsError(
      'not-permitted',
      `the Host header is '${asked.slice(0, 64)}'; this agent answers to localhost and ${host}`,
    );
  if (headers.origin !== undefined)
    throw new NodeopsError(
      'not-permitted',
      'a request with an Origin header comes from a web page; it is not answered',
    );
  const spoken = headers[requestHeader];
  if (typeof spoken !== 'string' || !/^[1-9]\d{0,5}$/.test(spoken))
    throw new NodeopsError('bad-request', `the header '${requestHeader}: 1' is missing`, {
      hint: `curl -H '${requestHeader}: 1' …`,
    });
  if (token === null || proven) return;
  const [, given] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (given === undefined || !isSame(given, token))
    throw new NodeopsError(
      'unauthorized',
      given === undefined ? 'this agent asks for a token' : 'the token is not the one this agent asks for',
      {
        hint: 'give it with --agent-token-file FILE or NODEOPS_TOKEN',
      },
    );
}

/** Digests first: they are of one length, and comparing them tells nothing about the token's. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
