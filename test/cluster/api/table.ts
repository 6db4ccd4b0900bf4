/** Table rendering, as `kubectl get` asks for it. */
import { apiVersionOf, type Resource } from './resources.ts';
import { selectorRequirements } from './selectors.ts';
import { descriptions } from './tabletexts.ts';
import type { Json, KubeObject } from './types.ts';

interface Column {
  readonly name: string;
  /** 0 is shown always, 1 with `-o wide`. */
  readonly priority?: number;
  readonly type?: string;
  cell(object: KubeObject): string | number;
}

/** An age as kubectl prints it (apimachinery's HumanDuration). */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const part = (value: number, unit: string) => (value ? `${value}${unit}` : '');
  if (minutes < 10) return `${minutes}m${part(seconds % 60, 's')}`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return `${hours}h${part(minutes % 60, 'm')}`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return `${days}d${part(hours % 24, 'h')}`;
  return `${days}d`;
}

const age = (time: string | undefined | null) => (time ? humanDuration(Date.now() - Date.parse(time)) : '<unknown>');
const name: Column = { name: 'Name', cell: ({ metadata }) => metadata.name };
const created: Column = { name: 'Age', cell: ({ metadata }) => age(metadata.creationTimestamp) };
const containers = (spec: Json): Json[] => spec?.containers ?? [];
const wide = (label: string, cell: Column['cell']): Column => ({ name: label, priority: 1, cell });
const count = (label: string, cell: Column['cell']): Column => ({ name: label, type: 'integer', cell });
const template = [
  wide('Containers', ({ spec }) =>
    containers(spec.template?.spec)
      .map((c) => c.name)
      .join(','),
  ),
  wide('Images', ({ spec }) =>
    containers(spec.template?.spec)
      .map((c) => c.image)
      .join(','),
  ),
  wide('Selector', ({ spec }) => formatSelector(spec.selector)),
];

function formatSelector(selector: Json): string {
  const texts = selectorRequirements(selector).map(({ key, operator, values }) =>
    operator === '='
      ? `${key}=${values[0]}`
      : operator === 'exists'
        ? key
        : operator === '!'
          ? `!${key}`
          : `${key} ${operator} (${values.join(',')})`,
  );
  return texts.join(',') || '<none>';
}

const ready = ({ spec, status }: KubeObject) => `${status?.readyReplicas ?? 0}/${spec.replicas}`;

const columns: Record<string, readonly Column[]> = {
  pods: [
    name,
    {
      name: 'Ready',
      cell: ({ spec, status }) =>
        `${[...(status?.initContainerStatuses ?? []).filter((s: Json) => isSidecar(spec, s.name)), ...(status?.containerStatuses ?? [])].filter((s) => s.ready).length}/${containers(spec).length + (spec.initContainers ?? []).filter((c: Json) => c.restartPolicy === 'Always').length}`,
    },
    { name: 'Status', cell: podReason },
    { name: 'Restarts', cell: podRestarts },
    created,
    wide('IP', ({ status }) => status?.podIP ?? '<none>'),
    wide('Node', ({ spec }) => spec.nodeName ?? '<none>'),
    wide('Nominated Node', () => '<none>'),
    wide('Readiness Gates', () => '<none>'),
  ],
  deployments: [
    name,
    { name: 'Ready', cell: ready },
    { name: 'Up-to-date', cell: ({ status }) => String(status?.updatedReplicas ?? 0) },
    { name: 'Available', cell: ({ status }) => String(status?.availableReplicas ?? 0) },
    created,
    ...template,
  ],
  replicasets: [
    name,
    count('Desired', ({ spec }) => spec.replicas),
    count('Current', ({ status }) => status?.replicas ?? 0),
    count('Ready', ({ status }) => status?.readyReplicas ?? 0),
    created,
    ...template,
  ],
  statefulsets: [name, { name: 'Ready', cell: ready }, created, ...template.slice(0, 2)],
  daemonsets: [
    name,
    count('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0),
    count('Current', ({ status }) => status?.currentNumberScheduled ?? 0),
    count('Ready', ({ status }) => status?.numberReady ?? 0),
    count('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0),
    count('Available', ({ status }) => status?.numberAvailable ?? 0),
    { name: 'Node Selector', cell: ({ spec }) => formatSelector({ matchLabels: spec.template.spec.nodeSelector }) },
    created,
    ...template,
  ],
  jobs: [
    name,
    { name: 'Status', cell: ({ status }) => jobState(status) },
    { name: 'Completions', cell: ({ spec, status }) => `${status?.succeeded ?? 0}/${spec.completions ?? 1}` },
    {
      name: 'Duration',
      cell: ({ status }) =>
        status?.startTime
          ? humanDuration(Date.parse(status.completionTime ?? new Date().toISOString()) - Date.parse(status.startTime))
          : '',
    },
    created,
    ...template,
  ],
  services: [
    name,
    { name: 'Type', cell: ({ spec }) => spec.type },
    { name: 'Cluster-IP', cell: ({ spec }) => spec.clusterIP },
    { name: 'External-IP', cell: () => '<none>' },
    {
      name: 'Port(s)',
      cell: ({ spec }) => (spec.ports ?? []).map((p: Json) => `${p.port}/${p.protocol}`).join(',') || '<none>',
    },
    created,
    wide('Selector', ({ spec }) => formatSelector({ matchLabels: spec.selector })),
  ],
  namespaces: [name, { name: 'Status', cell: ({ status }) => status?.phase ?? '' }, created],
  nodes: [
    name,
    { name: 'Status', cell: () => 'Ready' },
    { name: 'Roles', cell: () => '<none>' },
    created,
    { name: 'Version', cell: () => 'v1.36.2' },
  ],
  configmaps: [name, { name: 'Data', cell: ({ data }) => String(Object.keys(data ?? {}).length) }, created],
  secrets: [
    name,
    { name: 'Type', cell: ({ type }) => type },
    count('Data', ({ data }) => Object.keys(data ?? {}).length),
    created,
  ],
  events: [
    { name: 'Last Seen', cell: (e) => age(e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp) },
    { name: 'Type', cell: ({ type }) => type },
    { name: 'Reason', cell: ({ reason }) => reason },
    { name: 'Object', cell: ({ involvedObject }) => `${involvedObject.kind.toLowerCase()}/${involvedObject.name}` },
    { name: 'Message', cell: ({ message }) => message.trim() },
  ],
  roles: [name, { name: 'Created At', cell: ({ metadata }) => metadata.creationTimestamp }],
  clusterroles: [name, { name: 'Created At', cell: ({ metadata }) => metadata.creationTimestamp }],
  rolebindings: [name, { name: 'Role', cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` }, created],
  clusterrolebindings: [name, { name: 'Role', cell: ({ roleRef }) => `${roleRef.kind}/${roleRef.name}` }, created],
};

function isSidecar(spec: Json, container: string): boolean {
  return spec.initContainers?.some((c: Json) => c.name === container && c.restartPolicy === 'Always') ?? false;
}

function jobState(status: Json): string {
  const holds = (type: string) => status?.conditions?.some((c: Json) => c.type === type && c.status === 'True');
  return holds('Complete') ? 'Complete' : holds('Failed') ? 'Failed' : 'Running';
}

/** The Status column: what most deserves to be seen, by the rules of kubectl's pod printer. */
export function podReason(pod: KubeObject): string {
  const { spec, status = {}, metadata } = pod;
  let reason = status.reason ?? status.phase ?? 'Pending';
  const gated = status.conditions?.find((c: Json) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated');
  if (gated) reason = 'SchedulingGated';
  const init: Json[] = status.initContainerStatuses ?? [];
  let initializing = false;
  for (const [i, { name: container, state, started }] of init.entries()) {
    if (state.terminated?.exitCode === 0 || (isSidecar(spec, container) && started)) continue;
    initializing = true;
    if (state.terminated) reason = `Init:${state.terminated.reason || `ExitCode:${state.terminated.exitCode}`}`;
    else if (state.waiting?.reason && state.waiting.reason !== 'PodInitializing')
      reason = `Init:${state.waiting.reason}`;
    else reason = `Init:${i}/${spec.initContainers.length}`;
    break;
  }
  if (!initializing) {
    let running = false;
    for (const { state, ready: isReady } of [...(status.containerStatuses ?? [])].reverse()) {
      if (state.waiting?.reason) reason = state.waiting.reason;
      else if (state.terminated) reason = state.terminated.reason || `ExitCode:${state.terminated.exitCode}`;
      else if (isReady && state.running) running = true;
    }
    if (reason === 'Completed' && running) reason = 'Running';
  }
  return metadata.deletionTimestamp ? 'Terminating' : reason;
}

function podRestarts({ status, spec }: KubeObject): string {
  const all: Json[] = [
    ...(status?.initContainerStatuses ?? []).filter((s: Json) => isSidecar(spec, s.name)),
    ...(status?.containerStatuses ?? []),
  ];
  const restarts = all.reduce((sum, s) => sum + s.restartCount, 0);
  const last = all
    .map((s) => s.lastState?.terminated?.finishedAt)
    .filter(Boolean)
    .sort()
    .at(-1);
  return restarts && last ? `${restarts} (${age(last)} ago)` : String(restarts);
}

const over: Record<string, Json> = {
  Succeeded: [
    { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
  ],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
};

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export function renderTable(
  resource: Resource,
  objects: readonly KubeObject[],
  metadata: Json,
  include: IncludeObject,
  withColumns = true,
): Json {
  const shown = columns[resource.resource] ?? [
    name,
    { name: 'Created At', cell: (o: KubeObject) => o.metadata.creationTimestamp },
  ];
  const rows = objects.map((object) => ({
    cells: shown.map(({ cell }) => cell(object)),
    ...(resource.resource === 'pods' && over[object.status?.phase] ? { conditions: over[object.status.phase] } : {}),
    ...(include === 'None' ? {} : { object: include === 'Object' ? withKind(resource, object) : partial(object) }),
  }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: withColumns ? shown.map((column) => definition(resource, column)) : null,
    rows,
  };
}

function withKind(resource: Resource, object: KubeObject): KubeObject {
  return { ...object, kind: resource.kind, apiVersion: apiVersionOf(resource) };
}

/** Only the metadata, as Tables and metadata clients get it. */
export function partial(object: KubeObject): Json {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

function definition(resource: Resource, { name: label, type = 'string', priority = 0 }: Column): Json {
  return {
    name: label,
    type,
    format: label === 'Name' ? 'name' : '',
    description: descriptions[`${resource.resource}.${label}`] ?? descriptions[label] ?? '',
    priority,
  };
}
