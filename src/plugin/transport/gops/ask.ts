/** Asks a Go process's gops agent: a byte, perhaps a number, and everything until the connection ends is the answer. */
import { NodeopsError } from '../../../protocol/errors.ts';
import { encodeVarint, type GopsCommand, gopsSignals } from '../../../protocol/gops.ts';
import { limits } from '../../../protocol/limits.ts';
import type { Endpoint } from '../../target.ts';

export interface GopsRequest {
  readonly command: GopsCommand;
  /** Of `setgc`; -1 is off. */
  readonly percent?: number;
}

/**
 * The answer as it comes. Throws what `Endpoint.connect` throws, and `unreachable` when the connection is cut in the middle.
 * An abort of `signal` ends it with its reason.
 */
export async function* gopsAnswer(
  endpoint: Endpoint,
  { command, percent }: GopsRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const transport = await endpoint.connect(signal);
  const abort = () => transport.destroy(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (signal.aborted) throw signal.reason;
    transport.expectData?.(true);
    const argument = percent === undefined ? [] : encodeVarint(percent);
    transport.write(Uint8Array.of(gopsSignals[command], ...argument));
    for await (const chunk of transport) yield chunk as Buffer;
    if (signal.aborted) throw signal.reason;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof NodeopsError) throw error;
    throw new NodeopsError('unreachable', `the connection to ${endpoint.name} was cut in the middle of its answer`, {
      cause: error,
      hint: 'try again',
    });
  } finally {
    signal.removeEventListener('abort', abort);
    transport.destroy();
  }
}

/** The answer as text. Throws `too-large` besides. */
export async function gopsText(endpoint: Endpoint, request: GopsRequest, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of gopsAnswer(endpoint, request, signal)) {
    size += chunk.length;
    if (size > limits.replyBytes)
      throw new NodeopsError('too-large', `the answer of ${endpoint.name} is larger than ${limits.replyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const probeMs = 2_000;
const versionLength = 256;

/**
 * The Go version that a gops agent tells, or undefined when what listens there is none. Harmless to ask of anything: it is the
 * one signal that only reads, and not more than 256 bytes of an answer are taken.
 */
export async function goVersion(endpoint: Endpoint, signal: AbortSignal): Promise<string | undefined> {
  let text = '';
  const limit = AbortSignal.any([signal, AbortSignal.timeout(probeMs)]);
  for await (const chunk of gopsAnswer(endpoint, { command: 'version' }, limit)) {
    text += chunk.toString('latin1');
    if (text.length > versionLength || text.includes('\n')) break;
  }
  return /^(?:go\d|devel )[^\n]{0,80}/.exec(text)?.[0].trim();
}
