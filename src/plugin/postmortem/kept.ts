/** What agents have kept in a pod: listed, fetched with resume, removed. */
import type { IncomingMessage } from 'node:http';
import { NodeopsError } from '../../protocol/errors.ts';
import type { ArtifactsReply, KeptArtifact } from '../../protocol/history.ts';
import type { Envelope, ProcessInfo } from '../../protocol/replies.ts';
import { pathPrefix } from '../../protocol/wire.ts';
import { captureLimits } from '../artifacts/limits.ts';
import { Reconnect } from '../artifacts/reconnect.ts';
import type { Sink } from '../artifacts/sink.ts';
import { AgentClient } from '../client/client.ts';
import type { Io } from '../io.ts';
import type { Target } from '../targets/target.ts';

/** The store that one container's processes share. */
export interface Store {
  readonly target: Target;
  readonly envelope: Envelope<ArtifactsReply>;
}

/** The stores behind a target: one for each container where the pod has several processes and none was named. */
export async function storesOf(
  target: Target,
  { timeout }: { timeout?: number | undefined },
  io: Io,
): Promise<Store[]> {
  const client = new AgentClient(target.endpoint);
  const ask = async (process: string | undefined): Promise<Store> => ({
    target: { ...target, process },
    envelope: await client.ask('artifacts', {}, { process, signal: io.signal, timeoutMs: timeout }),
  });
  try {
    return [await ask(target.process)];
  } catch (error) {
    if (!(error instanceof NodeopsError) || error.code !== 'ambiguous-process') throw error;
    const processes = (error.detail?.processes ?? []) as readonly ProcessInfo[];
    const first = new Map(processes.map((info) => [info.container, info] as const).reverse());
    const stores: Store[] = [];
    for (const { container, pid } of first.values())
      stores.push(await ask(container === null ? String(pid) : `${container}/${pid}`));
    return stores;
  } finally {
    client.close();
  }
}

/** Fetches one kept file; a cut connection is resumed where the sink has got to. */
export async function fetchKept({ target }: Store, { name, bytes }: KeptArtifact, sink: Sink, io: Io): Promise<void> {
  const { endpoint, process } = target;
  const say = (text: string) => io.stderr.write(`${text}\n`);
  const reconnect = new Reconnect({ name: endpoint.name, limits: captureLimits, say, signal: io.signal });
  const query = process === undefined ? '' : `?${new URLSearchParams({ process })}`;
  while (true) {
    const client = new AgentClient(endpoint);
    try {
      const response = await client.request({
        method: 'GET',
        path: `${pathPrefix}artifacts/${name}${query}`,
        headers: { Accept: '*/*', Range: `bytes=${sink.bytes}-` },
        signal: io.signal,
      });
      await receive(response, sink, () => reconnect.arrived());
      if (sink.bytes >= bytes) return;
      throw new NodeopsError('unreachable', `the connection to ${endpoint.name} was cut`);
    } catch (error) {
      await reconnect.after(error);
    } finally {
      client.close();
    }
  }
}

async function receive(response: IncomingMessage, sink: Sink, arrived: () => void): Promise<void> {
  const stalled = () => response.destroy(new NodeopsError('stalled', 'nothing came any more'));
  const timer = setTimeout(stalled, captureLimits.stallMs);
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      timer.refresh();
      arrived();
      await sink.write(chunk);
    }
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

/** Removes one, and returns its size. */
export async function removeKept({ target }: Store, name: string, io: Io): Promise<number> {
  const client = new AgentClient(target.endpoint);
  try {
    const { data } = await client.ask('remove-artifact', { name }, { process: target.process, signal: io.signal });
    return data.bytes;
  } finally {
    client.close();
  }
}
