/** `pod/NAME`: the agent's port in a pod, through the API server. */
import { NodeopsError } from '../../protocol/errors.ts';
import { knownPort } from '../../protocol/limits.ts';
import type { Target } from '../target.ts';
import type { KubeApi } from '../transport/kube/api.ts';
import { explainByPod, type PodRef } from '../transport/kube/pods.ts';
import { portForward } from '../transport/kube/portforward.ts';
import type { StreamSettings } from '../transport/kube/stream.ts';

export interface PodTargetOptions extends StreamSettings {
  readonly pod: PodRef;
  /** @default limits.knownPort */
  readonly port?: number | undefined;
  /** Selects the processes of one container. */
  readonly container?: string | undefined;
  /** Selects one process, as numbered inside its container. */
  readonly pid?: number | undefined;
}

/** What to type about a pod without an agent. */
function hintFor({ namespace, name }: PodRef, container: string | undefined): string {
  const target = `pod/${name} -n ${namespace}${container === undefined ? '' : ` -c ${container}`}`;
  return [
    `look in from outside, through the container's own Node.js: kubectl nodeops stats ${target} --attach=exec`,
    'or from a container added to the pod: the same with --attach=ephemeral',
    'or annotate the pod template with nodeops.dev/inject: "true"',
  ].join('; ');
}

/** The agent knows which process it was asked for, and not in which pod it is. */
function ofPod({ namespace, name }: PodRef, error: NodeopsError): NodeopsError {
  const { message, hint, detail } = error;
  return new NodeopsError(error.code, `pod '${name}' in namespace '${namespace}': ${message}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
    ...(detail !== undefined && { detail }),
  });
}

/** The pod is not looked at before: the WebSocket is opened straight away, and a failure explained by one GET. */
export function podTarget(api: KubeApi, { port = knownPort, container, pid, ...options }: PodTargetOptions): Target {
  const noAgentHint = hintFor(options.pod, container);
  const selector = [container, pid].filter((part) => part !== undefined).join('/');
  return {
    process: selector || undefined,
    endpoint: {
      name: `pod/${options.pod.name}`,
      pod: options.pod,
      noAgentHint,
      connect: (signal) => portForward(api, { ...options, port, container, noAgentHint }, signal),
      explain: async (error) =>
        error.code === 'no-such-process' ? explainByPod(api, options.pod, container, ofPod(options.pod, error)) : error,
    },
  };
}
