/** The end of a container's log: text, which the REST client for objects does not take. */
import http from 'node:http';
import https from 'node:https';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { type PodRef, podPath } from '../../transport/kube/pods.ts';
import { parseStatus } from '../../transport/kube/status.ts';

/** The last bytes of a log that are kept. */
const limitBytes = 2 * 1024 * 1024;
const limitMs = 20_000;

export interface LogOptions {
  readonly container: string;
  /** Of the container's run before the last restart. */
  readonly previous: boolean;
  /** Lines. */
  readonly tail: number;
}

/** Throws `forbidden`, `timeout`, and what the API server says, such as that there is no previous run. */
export async function readLog(api: KubeApi, ref: PodRef, options: LogOptions, signal: AbortSignal): Promise<string> {
  const { container, previous, tail } = options;
  const path = `${podPath(ref)}/log`;
  const query = { container, previous: String(previous), tailLines: tail, timestamps: 'true' };
  const deadline = AbortSignal.timeout(limitMs);
  const { status, body } = await get(api, api.url(path, query), AbortSignal.any([signal, deadline])).catch(
    (cause: Error) => {
      if (cause instanceof NodeopsError) throw cause;
      const why = deadline.aborted ? `it took longer than ${limitMs / 1000} s` : cause.message;
      throw new NodeopsError(deadline.aborted ? 'timeout' : 'unreachable', `the log could not be read: ${why}`, {
        cause,
      });
    },
  );
  if (status < 300) return body;
  const rights = [{ verb: 'get', resource: 'pods', subresource: 'log', namespace: ref.namespace }];
  throw await api.explain(status, parseStatus(body), `GET ${path}`, rights);
}

async function get(api: KubeApi, url: URL, signal: AbortSignal): Promise<{ status: number; body: string }> {
  const { headers, tls, agent } = await api.credentials();
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      ...tls,
      agent,
      signal,
      headers: { ...headers, 'User-Agent': 'kubectl-nodeops' },
    });
    request.on('error', reject);
    request.on('response', resolve);
    request.end();
  });
  let kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    kept.push(chunk);
    size += chunk.length;
    if (size <= 2 * limitBytes) continue;
    kept = [Buffer.concat(kept).subarray(-limitBytes)];
    size = limitBytes;
  }
  const whole = Buffer.concat(kept);
  const end = whole.subarray(Math.max(0, whole.length - limitBytes)).toString();
  // the first line of a cut text is half a line
  return { status: response.statusCode ?? 0, body: whole.length > limitBytes ? end.slice(end.indexOf('\n') + 1) : end };
}
