/** What is added to a pod: volumes, mounts, variables and our own containers. */
import type { Wishes } from './annotations.ts';
import { agentFolder, containers, installMountPath, mountPaths, triggersKey, volumes } from './paths.ts';
import type { Container, EnvVar, SecurityContext, Volume, VolumeMount } from './pod.ts';
import type { Settings } from './settings.ts';

/** One decision about a pod, made before anything is edited. */
export interface Plan {
  readonly settings: Settings;
  readonly wishes: Wishes;
  /** Room for captures of each container in MiB; 0 for no volume. */
  readonly artifactsMebibytes: number;
  /** How many containers write artifacts. */
  readonly writers: number;
  /** The app's ids; undefined where only its image knows them. */
  readonly user: number | undefined;
  readonly group: number | undefined;
  /** The pod has resources as a whole: what its containers ask for must not be more. */
  readonly budgeted: boolean;
}

function resourcesOf({ settings, budgeted }: Plan, part: keyof Settings['resources']): Record<string, unknown> {
  return budgeted ? {} : { ...settings.resources[part] };
}

export function agentVolume({ settings, wishes }: Plan): Volume {
  return settings.delivery === 'image-volume'
    ? { name: volumes.agent, image: { reference: wishes.image, pullPolicy: settings.imagePullPolicy } }
    : { name: volumes.agent, emptyDir: { sizeLimit: '32Mi' } };
}

/**
 * Every writer keeps to its own share, so the sum is never reached and the kubelet has no reason to evict the pod; 16 MiB are
 * for directories.
 */
export function artifactsLimit(plan: Plan): string {
  return `${plan.writers * plan.artifactsMebibytes + 16}Mi`;
}

export function tokenVolume(secret: NonNullable<Settings['tokenSecret']>): Volume {
  // optional: a missing Secret must not keep the app from starting; the agent then stays away
  return {
    name: volumes.token,
    secret: { secretName: secret.name, items: [{ key: secret.key, path: 'token' }], optional: true },
  };
}

export function triggersVolume(name: string): Volume {
  // optional: a missing ConfigMap, or one without the key, must not keep the app from starting; the agent says so
  return {
    name: volumes.triggers,
    configMap: { name, items: [{ key: triggersKey, path: triggersKey }], optional: true },
  };
}

/** Mounts of a container; `container` undefined for the sidecar, which sees the artifacts of all. */
export function mounts(plan: Plan, container: string | undefined): VolumeMount[] {
  const artifacts = { name: volumes.artifacts, mountPath: mountPaths.artifacts };
  return [
    ...(container === undefined ? [] : [{ name: volumes.agent, mountPath: mountPaths.agent, readOnly: true }]),
    ...(plan.artifactsMebibytes === 0
      ? []
      : [container === undefined ? artifacts : { ...artifacts, subPath: container }]),
    ...(plan.settings.tokenSecret ? [{ name: volumes.token, mountPath: mountPaths.token, readOnly: true }] : []),
    // the directory and no subPath, which would never see the ConfigMap change; the sidecar evaluates no rules
    ...(container !== undefined && plan.wishes.triggersConfigMap
      ? [{ name: volumes.triggers, mountPath: mountPaths.triggers, readOnly: true }]
      : []),
  ];
}

export function variables(plan: Plan, container: string): EnvVar[] {
  return [
    { name: 'NODEOPS_CONTAINER', value: container },
    { name: 'NODEOPS_PORT', value: plan.wishes.port },
    ...(plan.artifactsMebibytes === 0
      ? []
      : [
          { name: 'NODEOPS_CONFIG_DIR', value: `${mountPaths.artifacts}/config` },
          { name: 'NODEOPS_ARTIFACTS_DIR', value: mountPaths.artifacts },
          { name: 'NODEOPS_ARTIFACTS_SIZE', value: `${plan.artifactsMebibytes}Mi` },
        ]),
    ...(plan.wishes.readOnly ? [{ name: 'NODEOPS_READ_ONLY', value: 'true' }] : []),
    ...(plan.settings.tokenSecret ? [{ name: 'NODEOPS_TOKEN_FILE', value: `${mountPaths.token}/token` }] : []),
  ];
}

/** Rules for the agent of an app's container. */
export function triggerVariables({ wishes }: Plan): EnvVar[] {
  return [
    ...(wishes.triggers ? [{ name: 'NODEOPS_TRIGGERS', value: wishes.triggers }] : []),
    ...(wishes.triggersConfigMap
      ? [{ name: 'NODEOPS_TRIGGERS_FILE', value: `${mountPaths.triggers}/${triggersKey}` }]
      : []),
  ];
}

/** Copies the agent's files into the volume, where the cluster cannot mount an image. */
export function installContainer(plan: Plan): Container {
  const { settings, wishes, user } = plan;
  return {
    name: containers.agent,
    image: wishes.image,
    imagePullPolicy: settings.imagePullPolicy,
    args: ['/nodeops/inject.cjs', 'install', `${installMountPath}/${agentFolder}`],
    volumeMounts: [{ name: volumes.agent, mountPath: installMountPath }],
    resources: resourcesOf(plan, 'agent'),
    // it writes files for all to read, so it need not be root where the app is
    securityContext: restricted(user === 0 ? 65_532 : user, undefined),
  };
}

/** A native sidecar: it starts before the app, ends after it, and does not keep a Job from finishing. */
export function sidecarContainer(plan: Plan): Container {
  const { settings, wishes, user, group } = plan;
  return {
    name: containers.sidecar,
    image: wishes.image,
    imagePullPolicy: settings.imagePullPolicy,
    args: ['/nodeops/sidecar.cjs'],
    restartPolicy: 'Always',
    env: variables(plan, containers.sidecar),
    volumeMounts: mounts(plan, undefined),
    resources: resourcesOf(plan, 'sidecar'),
    // signals and /proc are open to the same user only
    securityContext: restricted(user, group),
  };
}

/** What PodSecurity `restricted` asks for; root only where the app itself is root. */
function restricted(user: number | undefined, group: number | undefined): SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: user !== 0,
    seccompProfile: { type: 'RuntimeDefault' },
    ...(user === undefined ? {} : { runAsUser: user }),
    ...(group === undefined ? {} : { runAsGroup: group }),
  };
}
