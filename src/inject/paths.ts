/** Names and places inside a pod. The image, the chart and docs/install.md use the same ones; tests compare them. */
import { containerNames } from '../protocol/annotations.ts';

export const volumes = {
  agent: 'nodeops-agent',
  artifacts: 'nodeops-artifacts',
  token: 'nodeops-token',
  triggers: 'nodeops-triggers',
} as const;
export const containers = containerNames;

export const mountPaths = {
  agent: '/nodeops',
  artifacts: '/nodeops-artifacts',
  token: '/nodeops-token',
  triggers: '/nodeops-triggers',
} as const;
/** Key of the ConfigMap with trigger rules, and the file's name. */
export const triggersKey = 'triggers';
/** Where the init container sees the volume that it fills. */
export const installMountPath = '/install';
/** The agent's files within the image, and so within the volume in either delivery. */
export const agentFolder = 'agent';
export const preloadFile = `${mountPaths.agent}/${agentFolder}/preload.cjs`;
export const preloadFlag = `--require=${preloadFile}`;
