/** What the user may do, asked right by right, and which commands need it. */
import type { KubeApi } from '../../../transport/kube/api.ts';
import type { Right } from '../../../transport/kube/status.ts';
import { type Finding, fail, ok, type Remedy, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';
import type { Answered } from './server.ts';

interface Need {
  readonly id: string;
  readonly verbs: readonly string[];
  /** `resource`, `resource/subresource` or `resource.group`. */
  readonly resource: string;
  /** What does not work without it. */
  readonly without: string;
  /** What still does. */
  readonly still: string;
}

const portforward: Need = {
  id: 'rights.portforward',
  verbs: ['get', 'create'],
  resource: 'pods/portforward',
  without: 'no command on a pod that has an agent',
  still: '--attach=exec, with pods/exec',
};
const needs: readonly Need[] = [
  {
    id: 'rights.get-pods',
    verbs: ['get'],
    resource: 'pods',
    without: 'no reasons why a pod cannot be asked, no doctor of pods',
    still: 'commands on pod/NAME',
  },
  {
    id: 'rights.list-pods',
    verbs: ['list'],
    resource: 'pods',
    without: 'no deploy/NAME, -l or -A',
    still: 'commands on pod/NAME',
  },
  portforward,
  {
    id: 'rights.workloads',
    verbs: ['get'],
    resource: 'deployments.apps',
    without: 'no deploy/NAME',
    still: 'commands on pod/NAME and -l',
  },
  {
    id: 'rights.exec',
    verbs: ['get', 'create'],
    resource: 'pods/exec',
    without: 'no --attach=exec',
    still: 'pods that have an agent',
  },
  {
    id: 'rights.ephemeral',
    verbs: ['patch'],
    resource: 'pods/ephemeralcontainers',
    without: 'no --attach=ephemeral',
    still: 'pods that have an agent, and --attach=exec',
  },
  {
    id: 'rights.enable',
    verbs: ['patch'],
    resource: 'deployments.apps',
    without: 'no enable or disable',
    still: 'everything else',
  },
];

/** From 1.35 on the API server wants `create` for what is asked by GET. */
const createSinceMinor = 35;

export function examineRights(
  exam: Examination,
  links: { credentials: Link<KubeApi>; server: Link<Answered>; user: Link<string> },
): void {
  for (const need of needs) {
    const what = `${need.verbs.join(' and ')} ${need.resource}`;
    exam.link(
      { id: need.id, what, needs: [links.credentials, links.server, links.user] },
      async (signal, api, { minor }, user) => {
        const answers = await Promise.all(need.verbs.map((verb) => may(api, rightOf(need, verb, api), signal)));
        const missing = need.verbs.filter((_, index) => !answers[index]);
        return finding(need, missing, { api, minor, user });
      },
    );
  }
}

function finding(
  need: Need,
  missing: readonly string[],
  { api, minor, user }: { api: KubeApi; minor: number | undefined; user: string },
): Finding {
  const { namespace } = api.connection;
  if (missing.length === 0) return ok(`in namespace ${namespace}`);
  const old = minor !== undefined && minor < createSinceMinor;
  if (old && need.verbs.length > 1 && missing.every((verb) => verb === 'create'))
    return warn(
      `create is not granted; this server does not ask for it, 1.${createSinceMinor} will`,
      grant(need, api, user),
    );
  const detail = `may not ${missing.join(', ')} in namespace ${namespace}: ${need.without}; still works: ${need.still}`;
  return (need === portforward ? fail : warn)(detail, grant(need, api, user));
}

function rightOf({ resource }: Need, verb: string, { connection: { namespace } }: KubeApi): Right {
  const [, name, group, subresource] = /^([^./]+)(?:\.([^/]+))?(?:\/(.+))?$/.exec(resource)!;
  return { verb, resource: name!, group, subresource, namespace };
}

async function may(api: KubeApi, resourceAttributes: Right, signal: AbortSignal): Promise<boolean> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const { status } = await api.post<{ status?: { allowed?: boolean } }>(path, review, { signal });
  return status?.allowed === true;
}

function grant({ id, verbs, resource }: Need, { connection }: KubeApi, user: string): Remedy {
  const name = `nodeops-${id.slice('rights.'.length)}`;
  const { administrator, namespace } = connection;
  return {
    say: 'an administrator grants it with:',
    run: [
      `${administrator} create role ${name} --verb=${verbs.join(',')} --resource=${resource} -n ${namespace}`,
      `${administrator} create rolebinding ${name} --role=${name} ${subjectFlag(user)} -n ${namespace}`,
    ],
  };
}

function subjectFlag(user: string): string {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  if (account) return `--serviceaccount=${account[1]}:${account[2]}`;
  return /^[\w@.:+/-]+$/.test(user) ? `--user=${user}` : `--user='${user.replaceAll("'", "'\\''")}'`;
}
