/**
 * The order of fields in answers. A real server writes fields in the order of its Go structs and maps sorted by key; objects come in
 * as clients wrote them. One list serves all structs here, because their orders do not contradict each other.
 */
import type { Json, KubeObject } from './types.ts';

const order = [
  'kind apiVersion metadata labels annotations',
  // Deployment, StatefulSet, Job
  'parallelism completions replicas',
  // Service before its selector
  'ports selector template strategy updateStrategy revisionHistoryLimit progressDeadlineSeconds',
  'clusterIP clusterIPs type sessionAffinity ipFamilies ipFamilyPolicy internalTrafficPolicy rollingUpdate',
  // PodSpec down to its containers
  'volumes initContainers containers ephemeralContainers',
  // Container, VolumeMount, EnvVar, ports
  'name protocol port targetPort readOnly recursiveReadOnly mountPath subPath',
  'image command args workingDir containerPort envFrom env value valueFrom resources limits requests resizePolicy restartPolicy',
  'volumeMounts volumeDevices livenessProbe readinessProbe startupProbe',
  'exec httpGet tcpSocket grpc initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold',
  'lifecycle terminationMessagePath terminationMessagePolicy imagePullPolicy',
  // the rest of PodSpec
  'terminationGracePeriodSeconds activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount',
  'automountServiceAccountToken nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext',
  'capabilities privileged runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation fsGroup seccompProfile',
  'imagePullSecrets hostname subdomain affinity schedulerName key operator effect tolerationSeconds tolerations hostAliases',
  'priorityClassName priority enableServiceLinks preemptionPolicy stdin stdinOnce tty targetContainerName',
  // sources of projected volumes
  'projected sources serviceAccountToken configMap downwardAPI expirationSeconds items path fieldRef defaultMode',
  'maxUnavailable maxSurge',
]
  .join(' ')
  .split(' ');
const rank = new Map(order.map((key, i) => [key, i]));

/** Fields that hold maps of the user's own keys. */
const maps = new Set([
  'labels',
  'annotations',
  'matchLabels',
  'nodeSelector',
  'limits',
  'requests',
  'data',
  'binaryData',
]);

export function ordered(value: Json, name = ''): Json {
  if (Array.isArray(value)) return value.map((item) => ordered(item));
  if (typeof value !== 'object' || value === null) return value;
  const isMap = maps.has(name) || (name === 'selector' && !value.matchLabels && !value.matchExpressions);
  const place = (key: string) => (isMap ? 0 : (rank.get(key) ?? order.length));
  const keys = Object.keys(value).map((key, i) => ({ key, i }));
  keys.sort((a, b) => place(a.key) - place(b.key) || (isMap ? (a.key < b.key ? -1 : 1) : a.i - b.i));
  return Object.fromEntries(
    keys
      .filter(({ key }) => value[key] !== undefined && value[key] !== null)
      .map(({ key }) => [key, ordered(value[key], key)]),
  );
}

const metadataOrder = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
];

/** Metadata in the order of Go's struct, without what is unset and without managedFields, which this server does not keep. */
export function orderMetadata(metadata: Json): Json {
  const set = (value: Json) =>
    value !== undefined && value !== null && !(typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(metadataOrder.filter((key) => set(metadata[key])).map((key) => [key, metadata[key]]));
}

/** Status and metadata are written in order already; the rest comes as its client wrote it. */
export function inOrder({ kind, apiVersion, metadata, status, ...rest }: KubeObject): KubeObject {
  const maps = Object.fromEntries(
    ['labels', 'annotations'].filter((key) => metadata[key]).map((key) => [key, ordered(metadata[key], key)]),
  );
  return {
    kind,
    apiVersion,
    metadata: { ...metadata, ...maps },
    ...ordered(rest),
    ...(status === undefined ? {} : { status }),
  };
}
