/** From what was typed to targets: nothing is connected to yet, but for pods that have to be looked up. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { Parsed } from '../../protocol/parameters.ts';
import { type AttachSettings, attachSettings } from '../cli/attach-flags.ts';
import type { Invocation } from '../cli/command.ts';
import type { targetFlags } from '../cli/common-flags.ts';
import type { Target } from '../target.ts';
import type { KubeApi } from '../transport/kube/api.ts';
import { parseTargets, type TargetSpec } from './parse.ts';
import type { PodQuery, Skipped } from './selection.ts';
import { workloads } from './workloads.ts';

export interface Resolved {
  readonly targets: readonly Target[];
  /** Whether one process was named, rather than several or a selection: its reply is then shown at length. */
  readonly single: boolean;
  /** Namespaces that were asked for and could not be listed. */
  readonly skipped: readonly Skipped[];
  /** The API server's client, when one was needed. */
  readonly api: KubeApi | undefined;
}

/** What `resolveTargets` reads of an invocation. */
export type TargetInvocation = Omit<Invocation, 'flags'> & {
  readonly flags: Parsed<typeof targetFlags>;
  /** The client of an earlier resolution, so that nobody logs in twice. */
  readonly api?: KubeApi | undefined;
};

/** Throws `usage` for bad input before anything is asked, `nothing-matched` when a selection is empty. */
export async function resolveTargets({ args, flags, kube, io, api: earlier }: TargetInvocation): Promise<Resolved> {
  const specs = parseTargets(args);
  const selecting = flags.selector !== undefined || flags['field-selector'] !== undefined || flags['all-namespaces'];
  if (specs.length === 0 && !selecting) throw noTarget();
  if (specs.length > 0 && selecting) refuseBoth(specs, flags);
  const pattern = containerPattern(flags.container, flags['all-processes']);
  const expanding = flags['all-processes'] || pattern !== undefined;
  const options = { port: flags.port, container: pattern ? undefined : flags.container, pid: flags.pid };
  const attaching = attachSettings(flags, io.env);

  let api = earlier;
  const connect = async (): Promise<KubeApi> => {
    const [{ KubeApi }, { loadConnection }] = await Promise.all([
      import('../transport/kube/api.ts'),
      import('../transport/kube/config.ts'),
    ]);
    api ??= new KubeApi(await loadConnection(kube, io.env), { stderr: io.stderr });
    // a login that asks a person must not count against what a target has to answer
    await api.credentials();
    return api;
  };

  const targets: Target[] = [];
  const skipped: Skipped[] = [];
  const select = async (query: Omit<PodQuery, 'namespace'>, said: string): Promise<void> => {
    const { findPods, podTargets } = await import('./selection.ts');
    const server = await connect();
    const namespace = flags['all-namespaces'] ? undefined : server.connection.namespace;
    const found = await findPods(server, { ...query, namespace }, io.signal);
    const selected = podTargets(server, found.pods, options);
    if (selected.length === 0) throw nothingMatched(server, said, namespace, found.pods.length);
    targets.push(...selected);
    skipped.push(...found.skipped);
  };

  const attachedTo = async (chosen: readonly Target[], settings: AttachSettings): Promise<Target[]> => {
    const { attachAll } = await import('../transport/attach/attach.ts');
    const { port, concurrency } = flags;
    const say = (text: string) => void io.stderr.write(`note: ${text}\n`);
    return attachAll(chosen, settings, { ...options, port, concurrency, api, signal: io.signal, say });
  };

  for (const spec of specs) {
    if (spec.kind === 'workload') {
      const { selectorOf } = await import('./workloads.ts');
      const server = await connect();
      const own = await selectorOf(server, { ...spec, namespace: server.connection.namespace }, io.signal);
      const { selector, 'field-selector': fieldSelector } = flags;
      const labelSelector = [own, ...(selector ? [selector] : [])].join(',');
      const said = [`${workloads[spec.resource].names[0]}/${spec.name}`, ...selectorsSaid(flags)].join(' ');
      await select({ labelSelector, fieldSelector }, said);
    } else targets.push(await named(spec, options, connect, io, attaching));
  }
  if (selecting && specs.length === 0) {
    const { selector: labelSelector, 'field-selector': fieldSelector } = flags;
    await select({ labelSelector, fieldSelector }, selectorsSaid(flags).join(' '));
  }
  const single = specs.length === 1 && specs[0]!.kind !== 'workload';
  const chosenTargets = withToken(distinct(targets), await agentToken(flags['agent-token-file'], io.env));
  const attached = attaching ? await attachedTo(chosenTargets, attaching) : chosenTargets;
  if (!expanding) return { targets: attached, single, skipped, api };
  const { expand } = await import('./expand.ts');
  const chosen = { pattern, pid: flags.pid };
  const processes = await expand(attached, chosen, io, flags.timeout);
  if (processes.length === 0) throw noProcess(attached, flags);
  return { targets: processes, single: false, skipped, api };
}

/** A name is one thing and a selector another: which of them was meant cannot be guessed. */
function refuseBoth(specs: readonly TargetSpec[], flags: Parsed<typeof targetFlags>): void {
  if (flags['all-namespaces'])
    throw new NodeopsError('usage', 'a target is named and -A asks for all namespaces', {
      hint: 'select by labels: -A -l app=NAME; or name the namespace: -n NAMESPACE',
    });
  const [selector] = selectorsSaid(flags);
  if (specs.some(({ kind }) => kind !== 'workload'))
    throw new NodeopsError('usage', `a target is named and ${selector} selects others`, {
      hint: 'give one or the other; a selector narrows only what a workload such as deploy/NAME has',
    });
}

function selectorsSaid(flags: Parsed<typeof targetFlags>): string[] {
  const { selector, 'field-selector': fieldSelector } = flags;
  return [
    ...(selector === undefined ? [] : [`-l ${selector}`]),
    ...(fieldSelector === undefined ? [] : [`--field-selector ${fieldSelector}`]),
  ];
}

function noProcess(asked: readonly Target[], { container, pid }: Parsed<typeof targetFlags>): NodeopsError {
  const said = [
    ...(container === undefined ? [] : [`-c '${container}'`]),
    ...(pid === undefined ? [] : [`--pid ${pid}`]),
  ];
  const where = asked.length === 1 ? asked[0]!.endpoint.name : `the ${asked.length} that were asked`;
  const message = `no process of ${where} matches${said.length > 0 ? ` ${said.join(' ')}` : ''}`;
  return new NodeopsError('nothing-matched', message, { hint: 'list, with the same target, shows those there are' });
}

async function named(
  spec: Exclude<TargetSpec, { kind: 'workload' }>,
  options: { port: number; container: string | undefined; pid: number | undefined },
  connect: () => Promise<KubeApi>,
  { env, signal }: Invocation['io'],
  attaching: AttachSettings | undefined,
): Promise<Target> {
  switch (spec.kind) {
    case 'pid': {
      const local = async () => (await import('./pid.ts')).pidTarget(spec.pid, { env });
      if (!attaching) return local();
      const { attachToProcess } = await import('../transport/attach/attach.ts');
      return attachToProcess(spec.pid, attaching, local, { signal });
    }
    case 'address': {
      if (attaching?.asked)
        throw new NodeopsError('usage', `--attach takes a pod or a PID, and ${spec.host}:${spec.port} is neither`);
      const { addressTarget } = await import('./address.ts');
      const process = [options.container, options.pid].filter((part) => part !== undefined).join('/');
      return { ...addressTarget(spec.host, spec.port), process: process || undefined };
    }
    case 'pod': {
      const [{ podTarget }, api] = await Promise.all([import('./pod.ts'), connect()]);
      return podTarget(api, { ...options, pod: { namespace: api.connection.namespace, name: spec.name } });
    }
  }
}

/**
 * A container's name is taken as it is, unless its processes are to be told apart; anything else is a regular expression over
 * names. Throws `usage` if it is neither.
 */
function containerPattern(text: string | undefined, all: boolean): RegExp | undefined {
  if (text === undefined || (!all && /^[a-z0-9-]+$/.test(text))) return undefined;
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    throw new NodeopsError('usage', `-c '${text.slice(0, 64)}' is neither a container's name nor a regular expression`);
  }
}

/** One named twice is asked once. */
function distinct(targets: readonly Target[]): Target[] {
  const seen = new Map(
    targets.map((target) => [`${target.endpoint.pod?.namespace} ${target.endpoint.name} ${target.process}`, target]),
  );
  return [...seen.values()];
}

/** The token for agents that ask for one. A file that cannot be read is said before anything is asked. */
async function agentToken(file: string | undefined, env: Invocation['io']['env']): Promise<string | undefined> {
  if (file === undefined) return env.NODEOPS_TOKEN?.trim() || undefined;
  const { readFile } = await import('node:fs/promises');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new NodeopsError('usage', `--agent-token-file ${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function withToken(targets: Target[], token: string | undefined): Target[] {
  if (token === undefined) return targets;
  return targets.map((target) => ({ ...target, endpoint: { ...target.endpoint, token } }));
}

function noTarget(): NodeopsError {
  return new NodeopsError('usage', 'no target was given', {
    hint: 'name one: PID, HOST:PORT, pod/NAME, deploy/NAME, or a selection: -l app=NAME',
  });
}

function nothingMatched(api: KubeApi, said: string, namespace: string | undefined, ended: number): NodeopsError {
  const where = namespace === undefined ? 'in any namespace' : `in namespace '${namespace}'`;
  const flags = namespace === undefined ? '-A' : `-n ${namespace}`;
  const message = `no running pod matches ${said || 'the selection'} ${where}${ended > 0 ? `, ${ended} that have ended do` : ''}`;
  return new NodeopsError('nothing-matched', message, {
    hint: `${api.connection.kubectl} get pods ${flags} --show-labels`,
  });
}
