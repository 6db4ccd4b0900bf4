/** `enable` and `disable`: one patch of a pod template, said and if asked waited for. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Parsed } from '../../../protocol/parameters.ts';
import type { Invocation } from '../../cli/command.ts';
import { write } from '../../io.ts';
import { documentText } from '../../render/document.ts';
import { type WorkloadRef, workloads } from '../../targets/workloads.ts';
import { KubeApi } from '../../transport/kube/api.ts';
import { loadConnection } from '../../transport/kube/config.ts';
import { type Engines, findEngines, installCommand, namespaceAsks } from './engine.ts';
import type { rolloutFlags, wishFlags } from './flags.ts';
import { shortfall } from './outcome.ts';
import { type Annotations, disabling, enabling, templatePatch } from './patch.ts';
import { progressOf } from './rollout.ts';
import { goOnCommand, waitForRollout } from './wait.ts';
import {
  getWorkload,
  missing,
  nameOf,
  parseWorkload,
  pathOf,
  refusePod,
  rolls,
  templateOf,
  type Workload,
} from './workload.ts';

type Flags = Parsed<typeof rolloutFlags>;
type Common = Omit<Invocation, 'flags'> & { readonly flags: Flags };

/** Annotates the template. Throws `refused` where no injector is installed, unless forced. */
export async function runEnable(
  invocation: Omit<Common, 'flags'> & { flags: Flags & Parsed<typeof wishFlags> },
): Promise<number> {
  const { flags, io } = invocation;
  return change(invocation, 'enable', async (api, template) => {
    const annotations = enabling(flags, template);
    if (Object.keys(annotations).length === 0 || flags.force || flags['dry-run'] === 'client') return annotations;
    const engines = await findEngines(api, io.signal);
    requireEngine(engines, api.connection.namespace);
    if (engines.found.length === 0)
      io.stderr.write(`this user may not see whether an injector is installed (${engines.hidden.join(', ')})\n`);
    return annotations;
  });
}

/** Takes the annotations away. */
export async function runDisable(invocation: Common): Promise<number> {
  const { io } = invocation;
  return change(invocation, 'disable', async (api, template) => {
    const labels = await namespaceLabels(api, io.signal);
    const { found } = await findEngines(api, io.signal);
    return disabling(template, namespaceAsks(found, labels));
  });
}

type Annotate = (api: KubeApi, template: ReturnType<typeof templateOf>) => Promise<Annotations>;

async function change(
  { args, flags, kube, io }: Common,
  verb: 'enable' | 'disable',
  annotate: Annotate,
): Promise<number> {
  const [text, ...more] = args;
  const named = parseWorkload(text, more);
  const api = new KubeApi(await loadConnection(kube, io.env), { stderr: io.stderr, now: () => io.now().getTime() });
  try {
    if ('pod' in named) return await refusePod(api, named.pod, `${io.program} ${verb}`, io.signal);
    const ref: WorkloadRef = { ...named, namespace: api.connection.namespace };
    const workload = await getWorkload(api, ref, io.signal);
    const annotations = await annotate(api, templateOf(workload));
    const patch = templatePatch(ref.resource, annotations);
    const unchanged = Object.keys(annotations).length === 0;
    if (flags['dry-run'] === 'client') {
      await write(io.stdout, unchanged ? '{}\n' : await documentText('yaml', patch));
      return 0;
    }
    const dry = flags['dry-run'] === 'server';
    if (unchanged) await write(io.stdout, `${nameOf(ref)} is already ${verb}d\n`);
    else {
      await apply(api, ref, patch, dry, io.signal);
      await write(io.stdout, `${nameOf(ref)} ${verb}d${dry ? ' (server dry run)' : ''}\n`);
    }
    if (dry) return 0;
    const waits = flags.wait && rolls(ref);
    if (waits) {
      const said = await waitForRollout(api, ref, flags.timeout, io);
      io.stderr.write(`${nameOf(ref)}: ${said}\n`);
    } else if (!unchanged) io.stderr.write(`${consequence(api, ref, workload)}\n`);
    const short =
      verb === 'enable' && (waits || unchanged) ? await shortfall(api, ref, io.program, io.signal) : undefined;
    if (short) io.stderr.write(`${nameOf(ref)}: ${short}\n`);
    return 0;
  } finally {
    await api.close();
  }
}

async function apply(api: KubeApi, ref: WorkloadRef, patch: object, dry: boolean, signal: AbortSignal): Promise<void> {
  const { resource, namespace } = ref;
  const rights = [{ verb: 'patch', resource, group: workloads[resource].group, namespace }];
  const query = { fieldManager: 'kubectl-nodeops', ...(dry ? { dryRun: 'All' } : {}) };
  await api.patch(pathOf(ref), patch, { query, rights, signal }).catch((cause: unknown) => {
    throw missing(api, ref, cause);
  });
}

/** What becomes of the pods that run now. */
function consequence(api: KubeApi, ref: WorkloadRef, workload: Workload): string {
  if (!rolls(ref)) return 'pods that run now stay as they are; those made from now on are changed';
  const progress = progressOf(ref.resource, workload);
  if (progress.state === 'stopped' && progress.why !== 'deadline')
    return `${progress.said}; to replace its pods: ${goOnCommand(api, ref, progress.why)}`;
  return `its pods are being replaced; follow with: ${api.connection.kubectl} rollout status ${nameOf(ref)} -n ${ref.namespace}`;
}

function requireEngine({ found, hidden }: Engines, namespace: string): void {
  if (found.length === 0 && hidden.length === 0)
    throw new NodeopsError('refused', 'no injector is installed in this cluster, the annotation would do nothing', {
      hint: `${installCommand}, or annotate all the same with --force`,
    });
  if (found.length > 0 && found.every(({ excludedNamespaces }) => excludedNamespaces.includes(namespace)))
    throw new NodeopsError(
      'refused',
      `namespace '${namespace}' is excluded from injection, the annotation would do nothing`,
      {
        hint: "take it out of the chart's value namespaces.excluded, or annotate all the same with --force",
      },
    );
}

/** Empty where they may not be read. */
async function namespaceLabels(api: KubeApi, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const path = `/api/v1/namespaces/${encodeURIComponent(api.connection.namespace)}`;
  try {
    const found = await api.get<{ metadata: { labels?: Record<string, string> } }>(path, { signal });
    return found.metadata.labels ?? {};
  } catch (error) {
    if (error instanceof NodeopsError && ['forbidden', 'nothing-matched'].includes(error.code)) return {};
    throw error;
  }
}
