/** From the annotation to the injected container: asked for, done, and what was left alone. */
import { statusAnnotations, wishAnnotations } from '../../../../protocol/annotations.ts';
import { workloads } from '../../../targets/workloads.ts';
import type { KubeApi } from '../../../transport/kube/api.ts';
import type { PodRef } from '../../../transport/kube/pods.ts';
import { flagsOf } from '../../enable/connection.ts';
import { type Engines, installCommand, namespaceAsks } from '../../enable/engine.ts';
import { type Owner, ownerOf, typedOwner } from '../../enable/owner.ts';
import { type Finding, fail, ok, type Remedy, skip, warn } from '../check.ts';
import type { NamespaceLabels } from '../cluster/namespace.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';
import type { PodObject } from './pod-object.ts';

interface Needed {
  readonly pod: Link<PodObject>;
  readonly api: Link<KubeApi>;
  readonly namespace: Link<NamespaceLabels>;
  readonly engine: Link<Engines>;
}

/** Whether the pod asked for the agent, and who would have it injected. */
export interface Asked {
  readonly asked: boolean;
  readonly owner: Owner | undefined;
  /** Undefined where nobody could look. */
  readonly engines: Engines | undefined;
}

export function examineInjection(exam: Examination, links: Needed, ref: PodRef, { io }: Surroundings): Link<Asked> {
  const asked = exam.link(
    { id: 'inject.asked', what: 'injection asked for', needs: [links.api, links.pod] },
    async (signal, api, pod) => {
      // not needs: where the cluster may not be looked at, the pod itself still tells most
      const [{ value: engines }, { value: labels = {} }, owner] = await Promise.all([
        links.engine.settled,
        links.namespace.settled,
        ownerOf(api, ref.namespace, pod, signal),
      ]);
      return askedFinding(pod, { engines, owner }, labels, `${io.program} enable`, flagsOf(api.connection));
    },
  );
  exam.link(
    { id: 'inject.done', what: 'injected', needs: [links.api, links.pod, asked] },
    (_, { connection: { kubectl } }, pod, given) => doneFinding(pod, given, ref, kubectl),
  );
  exam.link({ id: 'inject.skipped', what: 'left alone by the injector', needs: [links.pod] }, (_, pod) => {
    const said = pod.metadata.annotations?.[statusAnnotations.skipped];
    if (said === undefined) return ok('nothing');
    return warn(said, skippedRemedy(said));
  });
  return asked;
}

function askedFinding(
  { metadata: { annotations = {} } }: PodObject,
  { engines, owner }: Omit<Asked, 'asked'>,
  labels: NamespaceLabels,
  enable: string,
  flags: string,
): Finding<Asked> {
  const own = annotations[wishAnnotations.inject];
  const given = { engines, owner };
  if (own === 'true') return ok(`by the annotation ${wishAnnotations.inject}`, { ...given, asked: true });
  if (own === undefined && namespaceAsks(engines?.found ?? [], labels))
    return ok("by the namespace's label", { ...given, asked: true });
  if (own !== undefined && own !== 'false')
    return warn(
      `${wishAnnotations.inject} is '${own}', which means no: only "true" asks`,
      enableRemedy(owner, enable, flags),
      {
        ...given,
        asked: false,
      },
    );
  const not = own === 'false' ? `no: ${wishAnnotations.inject} is "false"` : `no: ${wishAnnotations.inject} is absent`;
  return ok(`${not}; not needed where the app loads the agent itself`, { ...given, asked: false });
}

function enableRemedy(owner: Owner | undefined, enable: string, flags: string): Remedy {
  return owner
    ? { run: [`${enable} ${typedOwner(owner)} ${flags}`] }
    : {
        say: 'write it before the pod is created:',
        yaml: `metadata:\n  annotations:\n    ${wishAnnotations.inject}: "true"`,
      };
}

function doneFinding(pod: PodObject, { asked, engines, owner }: Asked, ref: PodRef, kubectl: string): Finding {
  const { annotations = {}, creationTimestamp = '' } = pod.metadata;
  const injected = annotations[statusAnnotations.injected];
  const version = annotations[statusAnnotations.version];
  if (injected !== undefined || version !== undefined)
    return ok(`${injected || 'containers'}, agent ${version ?? 'of unknown version'}`);
  if (!asked) return skip('not asked for');
  if (annotations[statusAnnotations.skipped] !== undefined)
    return fail('no container of it, for the reasons below', { say: 'see what was left alone' });
  const again = recreate(owner, ref, kubectl);
  if (engines && engines.found.length === 0 && engines.hidden.length === 0)
    return fail('no: no injector is installed', {
      say: 'install one, then make the pods anew:',
      run: [installCommand, ...(again.run ?? [])],
    });
  const installedMs = Math.min(...(engines?.found.map(({ createdAtMs }) => createdAtMs) ?? []));
  if (Date.parse(creationTimestamp) < installedMs)
    return fail(
      `no: the pod was created ${creationTimestamp}, before the injector (${new Date(installedMs).toISOString()})`,
      again,
    );
  return fail(
    'no: the annotation came after the pod was created, or the injector did not answer then; pods are injected when they are created',
    again,
  );
}

/** How a pod is made anew. */
export function recreate(owner: Owner | undefined, { name, namespace }: PodRef, kubectl: string): Remedy {
  if (owner?.resource && ['deployments', 'statefulsets', 'daemonsets'].includes(owner.resource))
    return { run: [`${kubectl} rollout restart ${typedOwner(owner)} -n ${namespace}`] };
  if (owner?.resource === 'replicasets' || owner?.resource === 'replicationcontrollers')
    return { say: 'its controller makes a new one:', run: [`${kubectl} delete pod ${name} -n ${namespace}`] };
  if (owner?.resource && workloads[owner.resource].group === 'batch')
    return { say: `the next pod of ${typedOwner(owner)} is injected` };
  return {
    say: 'nothing makes this pod anew; do it yourself, while it may be away:',
    run: [`${kubectl} get pod ${name} -n ${namespace} -o yaml | ${kubectl} replace --force -f -`],
  };
}

/** YAML for the cases that an owner of the workload can mend. */
function skippedRemedy(said: string): Remedy {
  if (/NODE_OPTIONS comes from valueFrom/.test(said))
    return {
      say: 'write NODE_OPTIONS literally, so that it can be appended to:',
      yaml: 'env:\n- name: NODE_OPTIONS\n  value: THE VALUE IT HAS NOW',
    };
  if (/envFrom may set NODE_OPTIONS/.test(said))
    return {
      say: 'name NODE_OPTIONS in env; where envFrom sets it, copy its value:',
      yaml: 'env:\n- name: NODE_OPTIONS\n  value: ""',
    };
  if (/is the app's own, set/.test(said))
    return {
      say: 'choose a port that the app does not use:',
      yaml: `annotations:\n  ${wishAnnotations.port}: "18848"`,
    };
  if (/is the app's own/.test(said))
    return { say: 'give it another name; names that begin with nodeops- are the injector’s' };
  if (/is in use/.test(said)) return { say: 'mount that volume elsewhere; /nodeops and its siblings are the agent’s' };
  if (/host network/.test(said)) return { say: 'take hostNetwork out of the pod, or use --attach=exec' };
  if (/ephemeral-storage|ephemeral storage/.test(said))
    return { say: 'say how much may be kept:', yaml: `annotations:\n  ${wishAnnotations['artifacts-size']}: 512Mi` };
  return { say: 'the rest of the pod was injected as asked; change what is named here if it matters' };
}
