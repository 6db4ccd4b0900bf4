/** From a target to one that is answered for from outside. */
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import type { AttachSettings } from '../../cli/attach-flags.ts';
import { fanOut } from '../../client/fanout.ts';
import type { Endpoint, Target, Transport } from '../../target.ts';
import type { KubeApi } from '../kube/api.ts';
import type { Session } from './session.ts';

export interface AttachSurroundings {
  /** undefined where only local processes are asked. */
  readonly api: KubeApi | undefined;
  readonly container: string | undefined;
  readonly port: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Sentences for the user. */
  readonly say: (text: string) => void;
  /** The payload's bundle. @default the one in this program */
  readonly payload?: () => Promise<string>;
}

/**
 * Attaches where it is wished, and waits until something answers there. A target that cannot be attached to stays, to fail with
 * the reason when it is asked.
 */
export async function attachAll(
  targets: readonly Target[],
  settings: AttachSettings,
  surroundings: AttachSurroundings,
): Promise<Target[]> {
  const outcomes = await fanOut(targets, (target) => attach(target, settings, surroundings), surroundings);
  return outcomes.map(({ of, value, error }) => value ?? { ...of, endpoint: failing(of.endpoint, error!) });
}

async function attach(target: Target, settings: AttachSettings, surroundings: AttachSurroundings): Promise<Target> {
  const { endpoint } = target;
  const { api, signal, container, port, say } = surroundings;
  if (!endpoint.pod || !api) return target;
  if (settings.mode === 'auto' && (await hasAgent(endpoint, signal))) return target;
  if (settings.mode === 'ephemeral') {
    const { attachEphemeral } = await import('./ephemeral.ts');
    await attachEphemeral(api, { pod: endpoint.pod, container, image: settings.image, port, endpoint, say }, signal);
    return target;
  }
  const { pod } = endpoint;
  const open = async (within: AbortSignal): Promise<Session> => {
    const { attachByExec } = await import('./exec.ts');
    const { payload = ownPayload } = surroundings;
    return attachByExec(api, { pod, container, force: settings.force, payload, say }, within);
  };
  return { ...target, endpoint: await through(endpoint, open, signal) };
}

/** A local process; `local` is the target that its agent would be. Throws what stands in the way. */
export async function attachToProcess(
  pid: number,
  { mode, asked }: AttachSettings,
  local: () => Promise<Target>,
  { signal, payload = ownPayload }: Pick<AttachSurroundings, 'signal' | 'payload'>,
): Promise<Target> {
  if (mode === 'ephemeral') {
    if (!asked) return local();
    throw new NodeopsError('usage', `--attach=ephemeral takes a pod, and process ${pid} is none`, {
      hint: `use --attach=exec: it looks into the processes of this machine, too`,
    });
  }
  if (mode === 'auto') {
    const target = await local().catch(unlessNoAgent);
    if (target && (await hasAgent(target.endpoint, signal))) return target;
  }
  const endpoint: Endpoint = { name: `process ${pid}`, noAgentHint: '', connect: () => Promise.reject() };
  const open = async (within: AbortSignal) => (await import('./local.ts')).attachToPid(pid, payload, within);
  return { endpoint: await through(endpoint, open, signal), process: String(pid) };
}

/** An endpoint whose connections are those of a session; a session that was lost is followed by another. */
async function through(
  endpoint: Endpoint,
  open: (signal: AbortSignal) => Promise<Session>,
  signal: AbortSignal,
): Promise<Endpoint> {
  let session: Promise<Session> | undefined = open(signal);
  await session;
  const connect = async (within: AbortSignal): Promise<Transport> => {
    const current = await session?.catch(() => undefined);
    if (!current || current.ended()) session = open(AbortSignal.any([signal, within]));
    return (await session!).connect();
  };
  return { ...endpoint, outside: true, connect };
}

function failing(endpoint: Endpoint, error: unknown): Endpoint {
  return { ...endpoint, connect: () => Promise.reject(asNodeopsError(error)) };
}

async function hasAgent(endpoint: Endpoint, signal: AbortSignal): Promise<boolean> {
  const { AgentClient } = await import('../../client/client.ts');
  const client = new AgentClient(endpoint);
  try {
    await client.ask('processes', {}, { signal });
    return true;
  } catch (error) {
    unlessNoAgent(error);
    return false;
  } finally {
    client.close();
  }
}

function unlessNoAgent(error: unknown): undefined {
  if (!(error instanceof NodeopsError) || error.code !== 'no-agent') throw error;
}

async function ownPayload(): Promise<string> {
  return (await import('./payload-text.ts')).payloadText;
}
