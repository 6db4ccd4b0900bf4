/** The parts of a Kubernetes v1 Pod that the mutation reads or writes; everything else passes through untouched. */

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: Record<string, unknown>;
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  subPath?: string;
  readOnly?: boolean;
}

export interface SecurityContext {
  runAsUser?: number;
  runAsGroup?: number;
  [field: string]: unknown;
}

export interface Container {
  name: string;
  image?: string;
  args?: string[];
  env?: EnvVar[];
  envFrom?: unknown[];
  ports?: { containerPort?: number; protocol?: string }[];
  volumeMounts?: VolumeMount[];
  securityContext?: SecurityContext;
  resources?: { limits?: Record<string, unknown>; [field: string]: unknown };
  [field: string]: unknown;
}

export interface Volume {
  name: string;
  emptyDir?: { sizeLimit?: string; [field: string]: unknown };
  image?: { reference?: string; pullPolicy?: string };
  [source: string]: unknown;
}

export interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  securityContext?: SecurityContext;
  hostNetwork?: boolean;
  hostPID?: boolean;
  shareProcessNamespace?: boolean;
  os?: { name?: string };
  nodeSelector?: Record<string, string>;
  /** Of the pod as a whole (Kubernetes 1.34). */
  resources?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Pod {
  metadata?: { annotations?: Record<string, string>; [field: string]: unknown };
  spec: PodSpec;
  [field: string]: unknown;
}

/** Whether a decoded JSON value has the shape the mutation relies on. */
export function isPod(value: unknown): value is Pod {
  if (!isRecord(value) || !isRecord(value.spec)) return false;
  const { metadata, spec } = value;
  if (metadata !== undefined && !isRecord(metadata)) return false;
  if (metadata?.annotations != null && !isRecord(metadata.annotations)) return false;
  return (
    isListOfNamed(spec.containers) &&
    spec.containers.length > 0 &&
    isOptionalListOfNamed(spec.initContainers) &&
    isOptionalListOfNamed(spec.volumes) &&
    [...spec.containers, ...(spec.initContainers ?? [])].every(
      (container) => isOptionalListOfNamed(container.env) && isOptionalListOfNamed(container.volumeMounts),
    )
  );
}

type Named = Record<string, unknown> & { name: string };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfNamed(value: unknown): value is Named[] {
  return Array.isArray(value) && value.every((item) => isRecord(item) && typeof item.name === 'string');
}

function isOptionalListOfNamed(value: unknown): value is Named[] | undefined {
  return value === undefined || value === null || isListOfNamed(value);
}
