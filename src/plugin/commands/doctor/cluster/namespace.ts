/** The namespace: is it there, what may its pods do, and does it matter which network policies it has. */
import { NodeopsError } from '../../../../protocol/errors.ts';
import type { KubeApi } from '../../../transport/kube/api.ts';
import { type Finding, fail, ok, skip, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';

/** Its labels; empty where it may not be read. */
export type NamespaceLabels = Readonly<Record<string, string>>;

interface Namespace {
  readonly metadata: { readonly labels?: NamespaceLabels };
  readonly status?: { readonly phase?: string };
}

const levels: Readonly<Record<string, string>> = {
  privileged: 'privileged: both --attach=exec and --attach=ephemeral',
  baseline: 'baseline: both --attach=exec and --attach=ephemeral',
  restricted: "restricted: --attach=exec; --attach=ephemeral runs as the app's user, which must not be root",
};

export function examineNamespace(
  exam: Examination,
  credentials: Link<KubeApi>,
  needed: Link<unknown>,
): Link<NamespaceLabels> {
  const namespace = exam.link(
    { id: 'namespace', what: 'namespace', needs: [credentials, needed] },
    async (signal, api) => {
      const { namespace: name, kubectl } = api.connection;
      try {
        const found = await api.get<Namespace>(`/api/v1/namespaces/${encodeURIComponent(name)}`, { signal });
        const labels = found.metadata.labels ?? {};
        if (found.status?.phase === 'Terminating')
          return warn(`${name} is being deleted`, { run: [`${kubectl} get namespace ${name} -o yaml`] }, labels);
        return ok(name, labels);
      } catch (error) {
        const code = error instanceof NodeopsError ? error.code : undefined;
        if (code === 'nothing-matched')
          return fail(`there is no namespace ${name}`, {
            say: 'name another with -n:',
            run: [`${kubectl} get namespaces`],
          });
        if (code === 'forbidden') return ok(`${name}; this user may not look at its labels`, {});
        throw error;
      }
    },
  );
  exam.link({ id: 'podsecurity', what: 'PodSecurity', needs: [namespace] }, (_, labels) => podSecurity(labels));
  exam.link(
    { id: 'networkpolicies', what: 'network policies', needs: [credentials, namespace] },
    async (signal, api) => {
      const path = `/apis/networking.k8s.io/v1/namespaces/${encodeURIComponent(api.connection.namespace)}/networkpolicies`;
      const irrelevant = 'port-forward ends on the loopback inside the pod, which policies do not filter';
      try {
        let count = 0;
        for await (const _ of api.list(path, { signal })) count++;
        return ok(count === 0 ? `none; ${irrelevant}` : `${count}, of no matter: ${irrelevant}`);
      } catch (error) {
        if (!(error instanceof NodeopsError) || error.code !== 'forbidden') throw error;
        return skip(`this user may not list them; of no matter: ${irrelevant}`);
      }
    },
  );
  return namespace;
}

function podSecurity(labels: NamespaceLabels): Finding {
  // without a label of its own it has the cluster's default, which the API does not show
  if (labels['kubernetes.io/metadata.name'] === undefined) return skip("the namespace's labels cannot be seen");
  const level = labels['pod-security.kubernetes.io/enforce'];
  if (level === undefined) return ok('no level of its own');
  const meaning = levels[level];
  if (meaning !== undefined) return ok(meaning);
  return warn(`'${level}' is no level: the API server takes it as restricted`, {
    say: 'privileged, baseline or restricted:',
    run: ['kubectl label namespace NAME --overwrite pod-security.kubernetes.io/enforce=baseline'],
  });
}
