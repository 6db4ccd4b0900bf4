/** Whether the annotation does anything in this cluster, and in this namespace. */
import { X509Certificate } from 'node:crypto';
import { NodeopsError } from '../../../../protocol/errors.ts';
import type { KubeApi } from '../../../transport/kube/api.ts';
import { type Engine, type Engines, findEngines, installCommand } from '../../enable/engine.ts';
import { type Finding, fail, ok, skip, warn } from '../check.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';

const soonMs = 14 * 24 * 3_600_000;
const upgradeCommand = 'helm upgrade nodeops deploy/helm/nodeops -n nodeops --reuse-values';

export function examineEngine(
  exam: Examination,
  credentials: Link<KubeApi>,
  needed: Link<unknown>,
  { io, pluginVersion }: Surroundings,
): Link<Engines> {
  const engine = exam.link({ id: 'engine', what: 'injector', needs: [credentials, needed] }, async (signal, api) =>
    installed(await findEngines(api, signal), pluginVersion),
  );
  exam.link(
    { id: 'engine.health', what: 'injector works', needs: [credentials, engine] },
    async (signal, api, { found }) => {
      const findings = await Promise.all(found.map((each) => health(api, each, io.now().getTime(), signal)));
      return (
        findings.find(({ status }) => status === 'fail') ??
        findings.find(({ status }) => status !== 'ok') ??
        findings[0] ??
        skip('there is none')
      );
    },
  );
  exam.link(
    { id: 'engine.namespace', what: 'injector and namespace', needs: [credentials, engine] },
    (_, { connection: { namespace } }, { found }) => {
      if (found.length === 0) return skip('there is none');
      const minding = found.filter(({ excludedNamespaces }) => !excludedNamespaces.includes(namespace));
      if (minding.length > 0) return ok(`pods of namespace ${namespace} are looked at`);
      return warn(`namespace ${namespace} is excluded from injection`, {
        say: "take it out of the chart's value namespaces.excluded, or load the agent in the image",
      });
    },
  );
  return engine;
}

function installed(engines: Engines, pluginVersion: string | undefined): Finding<Engines> {
  const { found, hidden } = engines;
  if (found.length === 0 && hidden.length > 0) return skip(`this user may not list ${hidden.join(', ')}`, engines);
  if (found.length === 0)
    return warn(
      'not installed: the annotation nodeops.dev/inject does nothing',
      { say: 'whoever runs the cluster installs it with:', run: [installCommand] },
      engines,
    );
  const names = found.map(({ kind, name, version }) => `${kind} ${name}${version ? ` of ${version}` : ''}`).join(', ');
  const unbound = found.find(({ bound }) => !bound);
  if (unbound)
    return fail(`policy ${unbound.name} has no MutatingAdmissionPolicyBinding, and so does nothing`, {
      run: [upgradeCommand],
    });
  if (found.length > 1)
    return warn(
      `${names}: more than one is installed`,
      { say: 'uninstall all but one:', run: ['helm list -A'] },
      engines,
    );
  const version = found[0]?.version;
  if (version && pluginVersion && version !== pluginVersion)
    return warn(
      `${names}; this plugin is ${pluginVersion}`,
      { say: 'bring both to the same version; new pods then get it:', run: [upgradeCommand] },
      engines,
    );
  return ok(names, engines);
}

async function health(api: KubeApi, engine: Engine, nowMs: number, signal: AbortSignal): Promise<Finding> {
  if (engine.kind === 'policy') return ok(`policy ${engine.name} is bound; nothing runs in the cluster`);
  const { name, service } = engine;
  const certificate = certificateFinding(engine, nowMs);
  if (certificate.status === 'fail' || !service) return certificate;
  const ready = await readyEndpoints(api, service, signal);
  const at = `${service.namespace}/${service.name}`;
  if (ready === undefined) return skip(`this user may not look at the endpoints of service ${at}`);
  if (ready === 0)
    return fail(
      `webhook ${name}: service ${at} has no ready pod${engine.failurePolicy === 'Fail' ? ', and pods that ask for the agent cannot start' : ', so that pods start without the agent'}`,
      {
        run: [
          `${api.connection.kubectl} get pods -n ${service.namespace} -l app.kubernetes.io/name=nodeops,app.kubernetes.io/component=inject`,
          `${api.connection.kubectl} describe deployment ${service.name} -n ${service.namespace}`,
        ],
      },
    );
  if (certificate.status !== 'ok') return certificate;
  if (engine.failurePolicy === 'Fail')
    return warn(
      `webhook ${name}: ${ready} ready, failurePolicy Fail: while none is ready, pods that ask for the agent cannot start`,
      {
        say: "set the chart's value webhook.failurePolicy to Ignore",
      },
    );
  return ok(`webhook ${name}: ${ready} ready, ${certificate.detail}`);
}

function certificateFinding({ name, caBundle }: Engine, nowMs: number): Finding {
  const remedy = { say: 'a chart that makes its own certificates renews them with:', run: [upgradeCommand] };
  if (caBundle === '')
    return fail(`webhook ${name} has no caBundle, so that the API server trusts no certificate of it`, {
      say: 'with cert-manager look at its Certificate, else:',
      run: ['kubectl get certificate -A -l app.kubernetes.io/name=nodeops', upgradeCommand],
    });
  const pem = Buffer.from(caBundle, 'base64').toString();
  const ends = [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].flatMap(([block]) => {
    try {
      return [Date.parse(new X509Certificate(block).validTo)];
    } catch {
      return [];
    }
  });
  if (ends.length === 0) return fail(`the caBundle of webhook ${name} holds no certificate`, remedy);
  // an old authority stays in the bundle for one renewal: the youngest counts
  const end = Math.max(...ends);
  const day = new Date(end).toISOString().slice(0, 10);
  if (end <= nowMs) return fail(`the caBundle of webhook ${name} expired ${day}`, remedy);
  if (end - nowMs < soonMs) return warn(`the caBundle of webhook ${name} expires ${day}`, remedy);
  return ok(`trusted until ${day}`);
}

interface Slice {
  readonly endpoints?: readonly { readonly conditions?: { readonly ready?: boolean } }[] | null;
}

/** undefined where they may not be looked at. */
async function readyEndpoints(
  api: KubeApi,
  { namespace, name }: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<number | undefined> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
  let ready = 0;
  try {
    const query = { labelSelector: `kubernetes.io/service-name=${name}` };
    for await (const { endpoints } of api.list<Slice>(path, { query, signal }))
      ready += (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false).length;
    return ready;
  } catch (error) {
    if (error instanceof NodeopsError && ['forbidden', 'nothing-matched'].includes(error.code)) return undefined;
    throw error;
  }
}
