import { randomUUID } from 'node:crypto';
import { cpus, release, totalmem } from 'node:os';
import type { KubeObject } from '../api/types.ts';
import { nodeAddress, nodeName, timestamp } from './podstatus.ts';
import { nodeLabels } from './scheduler.ts';

/** The one node, as `kubectl get nodes` shows it. */
export function nodeObject(): KubeObject {
  const now = timestamp();
  const capacity = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '250' };
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: { name: nodeName, uid: randomUUID(), creationTimestamp: now, labels: { ...nodeLabels } },
    spec: {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          lastHeartbeatTime: now,
          lastTransitionTime: now,
          reason: 'KubeletReady',
          message: 'kubelet is posting ready status',
        },
      ],
      addresses: [
        { type: 'InternalIP', address: nodeAddress },
        { type: 'Hostname', address: nodeName },
      ],
      nodeInfo: {
        kernelVersion: release(),
        osImage: 'embedded',
        containerRuntimeVersion: 'containerd://2.1.9',
        kubeletVersion: 'v1.36.2',
        operatingSystem: 'linux',
        architecture: 'amd64',
      },
    },
  };
}
