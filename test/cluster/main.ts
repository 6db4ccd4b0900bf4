/**
 * The cluster's own process: first process of a pid namespace, with a mount namespace of its own, so that everything in it ends
 * with it. Started by cluster.ts, which it obeys over IPC; when that process is gone, so is this one.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Admission } from './admission/admission.ts';
import { AdmittedObjects } from './api/admitted.ts';
import { Authenticator } from './api/authentication.ts';
import { Authorizer, bootstrapBindings, bootstrapRoles } from './api/authorization.ts';
import { CertificateAuthority } from './api/certificates.ts';
import { Handler } from './api/handler.ts';
import { heard } from './api/heard.ts';
import { resourceNamed } from './api/resources.ts';
import { ApiServer } from './api/server.ts';
import { Store } from './api/store.ts';
import { startControllers } from './controllers/controllers.ts';
import type { ControlMessage, ControlName, Controls, StartMessage } from './controls.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { ControlGroups } from './kubelet/cgroup.ts';
import { program } from './kubelet/host.ts';
import { isolations } from './kubelet/isolation.ts';
import { Kubelet } from './kubelet/kubelet.ts';
import { nodeObject } from './kubelet/nodeobject.ts';
import { descendantsOf, signal } from './kubelet/processes.ts';
import { dialService } from './kubelet/services.ts';

async function start(message: StartMessage) {
  const { directory, images, crashBackoffMs, idleTimeoutMs, cgroupName } = message;
  const own = join(directory, 'run');
  mkdirSync(own, { recursive: true });
  const isolation = isolations[message.isolation];
  if (isolation.name === 'namespaces')
    execFileSync(program('mount'), ['-t', 'tmpfs', '-o', 'mode=755', 'nodeops-cluster', own]);
  const store = new Store();
  const authority = new CertificateAuthority();
  const authenticator = new Authenticator(store);
  const authorizer = new Authorizer(heard(store));
  const groups = new ControlGroups(isolation.name === 'namespaces' ? cgroupName : undefined);
  const issueToken = (
    namespace: string,
    account: string,
    audience: string | undefined,
    seconds: number,
    pod: { name: string; uid: string },
  ) =>
    authenticator.issue({ namespace, account, audiences: audience ? [audience] : undefined, seconds, pod })?.token ??
    '';
  const kubelet = new Kubelet({ store, directory: own, images, crashBackoffMs, groups, isolation, issueToken });
  const admission = new Admission(store, (...where) => dialService(store, kubelet, ...where));
  const objects = new AdmittedObjects(store, authority.certificate, admission);
  for (const namespace of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    objects.create(resourceNamed('namespaces'), undefined, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
  for (const role of bootstrapRoles) objects.create(resourceNamed('clusterroles'), undefined, role);
  for (const binding of bootstrapBindings) objects.create(resourceNamed('clusterrolebindings'), undefined, binding);
  store.put(resourceNamed('nodes'), nodeObject());
  startControllers(objects);
  // without namespaces nothing else ends them
  process.on('exit', () => {
    for (const { slots } of kubelet.workers) for (const { run } of slots) run?.signalAll('SIGKILL');
  });
  const handler = new Handler({ objects, authenticator, authorizer, kubelet });
  const certificate = authority.issue({
    commonName: 'kube-apiserver',
    hosts: ['127.0.0.1', 'localhost', 'kubernetes', 'kubernetes.default'],
  });
  const server = new ApiServer({
    handler,
    certificate,
    authority: authority.certificate,
    upgrade: { idleMs: idleTimeoutMs },
  });
  await server.listen();
  const url = `https://127.0.0.1:${server.port}`;
  const admin = authority.issue({ commonName: 'admin', organizations: ['system:masters'] });
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, writeKubeconfig(url, authority.certificate, 'admin', admin), { mode: 0o600 });

  const workerOf = ({ namespace, pod }: { namespace: string; pod: string }) => {
    const worker = kubelet.worker(namespace, pod);
    if (!worker) throw new Error(`no pod ${namespace}/${pod} runs in the cluster`);
    return worker;
  };
  const pidsOf = (parameters: { namespace: string; pod: string }) =>
    workerOf(parameters).slots.flatMap(({ run }) => (run ? descendantsOf(run.pid) : []));
  const signalPod = (parameters: { namespace: string; pod: string }, name: NodeJS.Signals) => {
    for (const pid of pidsOf(parameters)) signal(pid, name);
  };
  const controls: { [N in ControlName]: (parameters: Controls[N]) => unknown } = {
    restartApiServer: ({ downMs }) => server.restart(downMs),
    cutConnections: () => server.cutConnections(),
    killContainer: ({ container, signal: name, ...which }) => {
      const run = workerOf(which).slot(container)?.run;
      if (!run) throw new Error(`no container ${container} runs in ${which.namespace}/${which.pod}`);
      run.signal(name);
    },
    freezePod: (parameters) => signalPod(parameters, 'SIGSTOP'),
    thawPod: (parameters) => signalPod(parameters, 'SIGCONT'),
    killPodSilently: (parameters) => workerOf(parameters).lose(),
    issueClientCertificate: ({ user, groups: organizations, notAfter }) => {
      const issued = authority.issue({
        commonName: user,
        organizations,
        ...(notAfter ? { notAfter: new Date(notAfter) } : {}),
      });
      return writeKubeconfig(url, authority.certificate, user, issued);
    },
  };
  process.on('message', async ({ id, control, parameters }: ControlMessage) => {
    try {
      const run = controls[control] as (parameters: unknown) => unknown;
      process.send!({ id, result: await run(parameters) });
    } catch (error) {
      process.send!({ id, error: (error as Error).message });
    }
  });
  process.send!({ ready: true, server: url, kubeconfig, memoryLimits: groups.available, cgroups: groups.directories });
}

process.on('disconnect', () => process.exit());
// the first process of a pid namespace has no default action for signals: without these, Ctrl-C in a terminal would pass by
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => process.exit());
process.once('message', (message: StartMessage) => {
  start(message).catch((error: Error) => {
    process.send!({ failed: error.stack ?? error.message });
    process.disconnect();
  });
});
