/** What answers on the port, and what it says of its processes. */

import { statusAnnotations, wishAnnotations } from '../../../../protocol/annotations.ts';
import { sidecarContainer } from '../../../../protocol/attach.ts';
import { NodeopsError } from '../../../../protocol/errors.ts';
import { protocolVersion } from '../../../../protocol/limits.ts';
import type { Envelope, ProcessInfo, VersionReply } from '../../../../protocol/replies.ts';
import { AgentClient } from '../../../client/client.ts';
import type { Target } from '../../../target.ts';
import type { KubeApi } from '../../../transport/kube/api.ts';
import type { PodRef } from '../../../transport/kube/pods.ts';
import { flagsOf } from '../../enable/connection.ts';
import { typedOwner } from '../../enable/owner.ts';
import { type Finding, fail, failure, ok, type Remedy, skip, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';
import { type Asked, recreate } from './injection.ts';
import type { PodObject } from './pod-object.ts';
import { loopFinding, memoryFinding } from './process.ts';
import { type Told, triggersFinding } from './triggers.ts';

/** Node's oldest line that agents run on. */
const oldestNode = 20;
/** Processes that are asked how they are. */
const askedProcesses = 8;

interface Agent {
  readonly target: Target;
  readonly version: Envelope<VersionReply>;
  readonly processes: readonly ProcessInfo[];
}

export interface AgentContext {
  readonly around: Surroundings;
  /** Where the target is a pod. */
  readonly inPod?: {
    readonly ref: PodRef;
    readonly pod: Link<PodObject>;
    readonly api: Link<KubeApi>;
    readonly asked: Link<Asked>;
  };
}

export function examineAgent(exam: Examination, target: Link<Target>, { around, inPod }: AgentContext): void {
  const agent = exam.link({ id: 'agent', what: 'agent answers', needs: [target] }, async (signal, to) => {
    try {
      return await meet(to, signal);
    } catch (error) {
      if (error instanceof NodeopsError && error.code === 'unauthorized') return wantsToken(error);
      if (error instanceof NodeopsError && error.detail?.go !== undefined)
        return skip(`${error.message}; ${error.hint ?? ''}`);
      if (!(error instanceof NodeopsError) || error.code !== 'no-agent' || !inPod) return failure(error);
      const [{ value: server }, { value: asked }] = await Promise.all([inPod.api.settled, inPod.asked.settled]);
      return noAgent(error, asked, `${around.io.program} enable`, server ? flagsOf(server.connection) : '');
    }
  });
  exam.link({ id: 'agent.version', what: "agent's version", needs: [agent] }, (_, met) =>
    versionFinding(met.version, around.pluginVersion),
  );
  exam.link({ id: 'agent.notes', what: "agent's settings", needs: [agent] }, async (_, { version }) => {
    // what is wrong with triggers has a line of its own
    const said = ((await triggers.settled).value ?? []).flatMap(({ state }) => state?.errors ?? []);
    const notes = version.notes.filter((note) => !said.includes(note));
    return notes.length === 0
      ? ok('taken as they were given')
      : warn(notes.join('; '), { say: 'correct the variables and restart the process' });
  });
  exam.link({ id: 'node', what: 'Node.js', needs: [agent] }, (_, { processes }) => nodeFinding(processes));
  exam.link({ id: 'processes', what: 'processes', needs: [agent] }, async (_, { processes }) =>
    processesFinding(processes, (await inPod?.pod.settled)?.value),
  );
  const command = async (name: string, { target: to }: Agent) => {
    const server = (await inPod?.api.settled)?.value;
    const typed = to.endpoint.name.replace(/^process /, '');
    return `${around.io.program} ${name} ${typed}${server ? ` ${flagsOf(server.connection)}` : ''}`;
  };
  const ofEach = (
    id: string,
    what: string,
    look: (client: AgentClient, process: ProcessInfo, signal: AbortSignal) => Promise<Finding>,
    type: string,
  ) =>
    exam.link({ id, what, needs: [agent] }, async (signal, met) => {
      const findings = await withClient(met.target, (client) =>
        Promise.all(chosen(met).map(async (process) => ({ process, ...(await look(client, process, signal)) }))),
      );
      const worst =
        findings.find(({ status }) => status === 'fail') ?? findings.find(({ status }) => status === 'warn');
      const told = worst ?? findings[0];
      if (!told) return ok('no process');
      const name = findings.length > 1 ? `${nameOf(told.process)}: ` : '';
      const more = findings.filter(({ status }) => status !== 'ok').length - 1;
      const detail = `${name}${told.detail}${more > 0 ? `; and ${more} more` : ''}`;
      const remedy: Remedy = { ...told.remedy, run: [await command(type, met)] };
      return { status: told.status, detail, ...(worst ? { remedy } : {}) };
    });
  ofEach('event-loop', 'event loop turns', loopFinding, 'stack');
  ofEach('memory', 'memory for a heap snapshot', memoryFinding, 'pprof-heap');
  const triggers = exam.link<readonly [typeof agent], readonly Told[]>(
    { id: 'triggers', what: 'triggers', needs: [agent] },
    async (signal, met) => {
      const told = await withClient(met.target, (client) =>
        Promise.all(
          chosen(met).map(async (process): Promise<Told> => {
            const name = nameOf(process);
            const { data } = await client.ask('artifacts', {}, { process: name, signal });
            return { name, state: data.triggers };
          }),
        ),
      );
      const [pod, server, asked] = await Promise.all([
        inPod?.pod.settled,
        inPod?.api.settled,
        inPod?.asked.settled,
      ]).then((settled) => settled.map((one) => one?.value) as [PodObject?, KubeApi?, Asked?]);
      const again = inPod && server ? recreate(asked?.owner, inPod.ref, server.connection.kubectl) : {};
      return { ...triggersFinding(told, pod, again), value: told };
    },
  );
}

async function withClient<T>({ endpoint }: Target, ask: (client: AgentClient) => Promise<T>): Promise<T> {
  const client = new AgentClient(endpoint);
  try {
    return await ask(client);
  } finally {
    client.close();
  }
}

async function meet(target: Target, signal: AbortSignal): Promise<Finding<Agent>> {
  return withClient(target, async (client) => {
    const { processes } = (await client.ask('processes', {}, { signal })).data;
    const first = target.process ?? (processes[0] && nameOf(processes[0]));
    const version = await client.ask('version', {}, { process: first, signal });
    return ok(target.endpoint.name, { target, version, processes });
  });
}

function wantsToken(error: NodeopsError): Finding<never> {
  return fail(error.message, {
    say: 'give the token that the pod has (NODEOPS_TOKEN_FILE, NODEOPS_TOKEN, the chart’s agent.tokenSecret):',
    run: ['kubectl nodeops doctor TARGET --agent-token-file FILE'],
  });
}

/** Something else answers, or nothing does: mended by another port, by enabling, or in the process itself. */
function noAgent(error: NodeopsError, given: Asked | undefined, enable: string, flags: string): Finding<never> {
  const taken = /no nodeops agent|not a nodeops agent|without an answer/.test(error.message);
  const owner = given?.owner?.resource ? typedOwner(given.owner) : undefined;
  if (taken)
    return fail(`the port is taken: ${error.message}`, {
      say: 'give the agents another port (this replaces the pods), and commands the same --port:',
      ...(owner
        ? { run: [`${enable} ${owner} --port 8849 ${flags}`] }
        : { yaml: `annotations:\n  ${wishAnnotations.port}: "8849"` }),
    });
  const detail = `${error.message}; network policies are not the reason`;
  if (given?.asked)
    return fail(detail, {
      say: 'asked for and not there: if it was injected, the process is not Node.js, older than 20, or has ended its agent; see also the checks above. Without an agent: --attach=exec',
    });
  return fail(detail, {
    say: 'have it injected (this replaces the pods), or ask the process as it is with --attach=exec:',
    ...(owner
      ? { run: [`${enable} ${owner} ${flags}`] }
      : { yaml: `annotations:\n  ${wishAnnotations.inject}: "true"` }),
  });
}

function versionFinding({ data }: Envelope<VersionReply>, plugin: string | undefined): Finding {
  const said = `${data.agentVersion}, protocol ${data.protocol}`;
  if (data.protocol > protocolVersion)
    return fail(`${said}; this plugin speaks protocol ${protocolVersion}`, { run: ['kubectl krew upgrade nodeops'] });
  const line = (version: string) => version.split('.').slice(0, 2).join('.');
  if (plugin === undefined || line(plugin) === line(data.agentVersion)) return ok(said);
  return warn(`${said}; this plugin is ${plugin}`, {
    say: 'they understand each other, but one may lack what the other has: update the plugin, or the chart and then the pods:',
    run: ['kubectl krew upgrade nodeops', 'helm upgrade nodeops deploy/helm/nodeops -n nodeops --reuse-values'],
  });
}

function nodeFinding(processes: readonly ProcessInfo[]): Finding {
  const versions = [...new Set(processes.map(({ nodeVersion }) => nodeVersion))];
  const old = versions.filter((version) => Number.parseInt(version.slice(1), 10) < oldestNode);
  if (old.length > 0)
    return warn(`${old.join(', ')} is older than ${oldestNode}: no agent runs there, the sidecar knows less`, {
      say: `run the app on Node.js ${oldestNode} or newer`,
    });
  return ok(versions.join(', ') || 'unknown');
}

function processesFinding(processes: readonly ProcessInfo[], pod: PodObject | undefined): Finding {
  const names = processes.map(nameOf);
  const shown = names.slice(0, askedProcesses).join(', ') + (names.length > askedProcesses ? ', …' : '');
  const injected = (pod?.metadata.annotations?.[statusAnnotations.injected] ?? '').split(',').filter(Boolean);
  const silent = injected.filter(
    (name) => name !== sidecarContainer && !processes.some(({ container }) => container === name),
  );
  if (silent.length > 0)
    return warn(`${shown || 'none'}; container ${silent.join(', ')} was injected and no process of it answers`, {
      say: 'it runs no Node.js, one older than 20, or its entrypoint sets NODE_OPTIONS anew: append to $NODE_OPTIONS there instead',
    });
  if (processes.length === 0)
    return warn('none', { say: 'the agent has just started, or its process ends: try again' });
  if (processes.length === 1) return ok(shown);
  return ok(`${processes.length}: ${shown}; choose with -c, --pid or --all-processes`);
}

function nameOf({ container, pid }: ProcessInfo): string {
  return container === null ? String(pid) : `${container}/${pid}`;
}

function chosen({ target, processes, version }: Agent): ProcessInfo[] {
  if (target.process === undefined) return processes.slice(0, askedProcesses);
  return processes.filter(
    ({ pid, container }) => pid === version.process.pid && container === version.process.container,
  );
}
