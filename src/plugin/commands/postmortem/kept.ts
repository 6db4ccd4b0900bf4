/** What agents have kept in a pod: listed, fetched with resume, removed. */
import { sidecarContainer } from '../../../protocol/attach.ts';
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import type { ArtifactsReply, KeptArtifact } from '../../../protocol/history.ts';
import type { Envelope, ProcessInfo } from '../../../protocol/replies.ts';
import { pathPrefix } from '../../../protocol/wire.ts';
import { captureLimits } from '../../captures/limits.ts';
import { checkRange, receive, SinkFailure } from '../../captures/receive.ts';
import { Reconnect } from '../../captures/reconnect.ts';
import type { Sink } from '../../captures/sink.ts';
import { AgentClient } from '../../client/client.ts';
import type { Io } from '../../io.ts';
import type { Target } from '../../target.ts';

/** The store that one container's processes share. */
export interface Store {
  /** Who answers for it: an agent of the container, or the sidecar of its pod. */
  readonly target: Target;
  readonly container: string | null;
  readonly envelope: Envelope<ArtifactsReply>;
}
interface Asking {
  readonly timeout?: number | undefined;
}

/**
 * The stores behind a target: one for each container where the pod has several processes and none was named, and where it has a
 * sidecar those of containers of which no process answers.
 */
export async function storesOf(target: Target, { timeout: timeoutMs }: Asking, io: Io): Promise<Store[]> {
  const client = new AgentClient(target.endpoint);
  // that there is no sidecar is nothing to be explained by a look at the pod
  const unexplained = new AgentClient({ ...target.endpoint, explain: async (error) => error });
  const ask = async (process: string | undefined, of = client): Promise<Store[]> => {
    const envelope = await of.ask('artifacts', {}, { process, signal: io.signal, timeoutMs });
    return storesIn({ ...target, process }, envelope);
  };
  const sidecar = async (): Promise<Store[]> => {
    try {
      return await ask(sidecarContainer, unexplained);
    } catch (error) {
      const { code, message } = asNodeopsError(error);
      if (code === 'interrupted') throw error;
      if (code !== 'no-such-process') io.stderr.write(`note: the sidecar cannot be asked: ${message}\n`);
      return [];
    }
  };
  try {
    const answered = await ask(target.process).catch(async (error: unknown) => {
      if (!(error instanceof NodeopsError) || error.code !== 'ambiguous-process') throw error;
      const stores: Store[] = [];
      for (const process of onePerContainer(error)) stores.push(...(await ask(process)));
      return stores;
    });
    return distinct(target.process === undefined ? [...answered, ...(await sidecar())] : answered);
  } finally {
    client.close();
    unexplained.close();
  }
}

function onePerContainer({ detail }: NodeopsError): string[] {
  const processes = (detail?.processes ?? []) as readonly ProcessInfo[];
  const first = new Map(processes.map((info) => [info.container, info] as const).reverse());
  return [...first.values()].map(({ container, pid }) => (container === null ? String(pid) : `${container}/${pid}`));
}

/** An agent answers for its own container; a sidecar for several, and is then asked by its own name. What it notes is of none of them. */
function storesIn(target: Target, envelope: Envelope<ArtifactsReply>): Store[] {
  const { process, data, notes } = envelope;
  if (process.container !== sidecarContainer) return [{ target, container: process.container, envelope }];
  const of = new Set(data.artifacts.map(({ container = null }) => container));
  return [...of.add(null)].map((container) => {
    const artifacts = data.artifacts.filter((one) => (one.container ?? null) === container);
    return {
      target: { ...target, process: sidecarContainer },
      container,
      envelope: { ...envelope, data: { ...data, artifacts }, notes: container === null ? notes : [] },
    };
  });
}

/** The first of each container: agents come before the sidecar. */
function distinct(stores: readonly Store[]): Store[] {
  const first = new Map(stores.map((store) => [store.container, store] as const).reverse());
  return stores.filter((store) => store.container === null || first.get(store.container) === store);
}

/** What keeps agents and sidecar from telling of more, each sentence once. */
export function notesOf(stores: readonly Store[]): string[] {
  return [...new Set(stores.flatMap(({ envelope }) => envelope.notes))];
}

/** As who answers for it calls it. */
function asked({ container, name }: KeptArtifact): string {
  return container === undefined ? name : `${container}/${name}`;
}

/** Fetches one kept file; a cut connection is resumed where the sink has got to. */
export async function fetchKept({ target }: Store, file: KeptArtifact, sink: Sink, io: Io): Promise<void> {
  const { endpoint, process } = target;
  const say = (text: string) => io.stderr.write(`${text}\n`);
  const reconnect = new Reconnect({ name: endpoint.name, limits: captureLimits, say, signal: io.signal });
  const query = process === undefined ? '' : `?${new URLSearchParams({ process })}`;
  const taking = {
    ...{ name: endpoint.name, totalBytes: () => file.bytes, maxBytes: file.bytes, stallMs: captureLimits.stallMs },
    onBytes: () => reconnect.arrived(),
  };
  while (true) {
    const client = new AgentClient(endpoint);
    try {
      const response = await client.request({
        method: 'GET',
        path: `${pathPrefix}artifacts/${asked(file)}${query}`,
        headers: { Accept: '*/*', Range: `bytes=${sink.bytes}-` },
        signal: io.signal,
      });
      checkRange(response, sink.bytes, endpoint.name);
      await receive(response, sink, taking);
      if (sink.bytes >= file.bytes) return;
      throw new NodeopsError('unreachable', `the connection to ${endpoint.name} was cut`);
    } catch (error) {
      if (error instanceof SinkFailure) throw error.cause;
      await reconnect.after(error);
    } finally {
      client.close();
    }
  }
}

/** Removes one, and returns its size. */
export async function removeKept({ target }: Store, file: KeptArtifact, io: Io): Promise<number> {
  const client = new AgentClient(target.endpoint);
  try {
    const name = asked(file);
    const { data } = await client.ask('remove-artifact', { name }, { process: target.process, signal: io.signal });
    return data.bytes;
  } finally {
    client.close();
  }
}
