/** Annotations of a pod template: what it asks for, and what the injector says it did. src/inject acts on them, `enable` and `doctor` speak of them. */

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
