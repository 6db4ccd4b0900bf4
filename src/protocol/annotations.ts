/** Names in a pod: annotations of its template (what it asks for, what the injector says it did), and containers of ours. */

export const annotationPrefix = 'nodeops.dev/';

/** What a workload's owner writes. */
export const wishAnnotations = {
  inject: `${annotationPrefix}inject`,
  containers: `${annotationPrefix}containers`,
  port: `${annotationPrefix}port`,
  sidecar: `${annotationPrefix}sidecar`,
  'artifacts-size': `${annotationPrefix}artifacts-size`,
  image: `${annotationPrefix}image`,
  'read-only': `${annotationPrefix}read-only`,
  triggers: `${annotationPrefix}triggers`,
  'triggers-configmap': `${annotationPrefix}triggers-configmap`,
} as const;

/** What the injector writes. */
export const statusAnnotations = {
  /** Names of the injected containers, separated by commas. */
  injected: `${annotationPrefix}injected`,
  /** Version of the agent. */
  version: `${annotationPrefix}version`,
  /** Sentences about what was left alone, separated by `; `. */
  skipped: `${annotationPrefix}skipped`,
} as const;

/** What the injector adds: the init container that fills the volume of the agent's files, and the sidecar. */
export const containerNames = { agent: 'nodeops-agent', sidecar: 'nodeops-sidecar' } as const;
