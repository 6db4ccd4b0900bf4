/** PodSecurity admission, level `restricted`, in the words of its checks, on namespaces that enforce it. */
import { forbidden } from './status.ts';
import type { Json, KubeObject } from './types.ts';

const containersOf = (spec: Json): Json[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** `container "a"`, `containers "a", "b"` */
function listed(containers: Json[]): string {
  return `container${containers.length > 1 ? 's' : ''} ${containers.map(({ name }) => `"${name}"`).join(', ')}`;
}

function violations(spec: Json): string[] {
  const containers = containersOf(spec);
  const pod = spec.securityContext ?? {};
  const found: string[] = [];
  const bad = (test: (c: Json) => boolean) => containers.filter(test);
  const privileged = bad((c) => c.securityContext?.privileged === true);
  if (privileged.length) found.push(`privileged (${listed(privileged)} must not set securityContext.privileged=true)`);
  const host = ['hostNetwork', 'hostPID', 'hostIPC'].filter((name) => spec[name]);
  if (host.length) found.push(`host namespaces (${host.map((name) => `${name}=true`).join(', ')})`);
  const escalating = bad((c) => c.securityContext?.allowPrivilegeEscalation !== false);
  if (escalating.length)
    found.push(
      `allowPrivilegeEscalation != false (${listed(escalating)} must set securityContext.allowPrivilegeEscalation=false)`,
    );
  const capable = bad((c) => !c.securityContext?.capabilities?.drop?.includes('ALL'));
  if (capable.length)
    found.push(`unrestricted capabilities (${listed(capable)} must set securityContext.capabilities.drop=["ALL"])`);
  const volumes = (spec.volumes ?? []).filter((v: Json) => v.hostPath);
  if (volumes.length) {
    const names = volumes.map(({ name }: Json) => `"${name}"`).join(', ');
    found.push(
      `restricted volume types (volume${volumes.length > 1 ? 's' : ''} ${names} use${volumes.length > 1 ? '' : 's'} restricted volume type "hostPath")`,
    );
  }
  const rooted = bad((c) => (c.securityContext?.runAsNonRoot ?? pod.runAsNonRoot) !== true);
  if (rooted.length) {
    const who = containers.length === rooted.length || rooted.length > 0 ? `pod or ${listed(rooted)}` : listed(rooted);
    found.push(`runAsNonRoot != true (${who} must set securityContext.runAsNonRoot=true)`);
  }
  const asRoot = bad((c) => c.securityContext?.runAsUser === 0);
  if (pod.runAsUser === 0) found.push('runAsUser=0 (pod must not set runAsUser=0)');
  else if (asRoot.length) found.push(`runAsUser=0 (${listed(asRoot)} must not set runAsUser=0)`);
  const allowed = ['RuntimeDefault', 'Localhost'];
  const unconfined = bad((c) => !allowed.includes(c.securityContext?.seccompProfile?.type ?? pod.seccompProfile?.type));
  if (unconfined.length)
    found.push(
      `seccompProfile (pod or ${listed(unconfined)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`,
    );
  return found;
}

/** Throws `403 Forbidden` when the namespace enforces `restricted` and the pod violates it. */
export function checkPodSecurity(namespace: KubeObject | undefined, pod: KubeObject): void {
  if (namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce'] !== 'restricted') return;
  const found = violations(pod.spec);
  if (found.length === 0) return;
  const version = namespace.metadata.labels['pod-security.kubernetes.io/enforce-version'] ?? 'latest';
  throw forbidden('', 'pods', pod.metadata.name, `violates PodSecurity "restricted:${version}": ${found.join(', ')}`);
}
