/** Event objects as scheduler and kubelet write them: the same event again only counts. */
import { randomUUID } from 'node:crypto';
import { resourceNamed } from '../api/resources.ts';
import type { Store } from '../api/store.ts';
import type { KubeObject } from '../api/types.ts';
import { nodeName, type Slot, timestamp } from './podstatus.ts';

interface Happening {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly scheduler?: boolean;
  readonly slot?: Slot | undefined;
}

const list = { init: 'initContainers', sidecar: 'initContainers', app: 'containers', ephemeral: 'ephemeralContainers' };

export function recordEvent(store: Store, about: KubeObject, happening: Happening): void {
  const events = resourceNamed('events');
  const { type, reason, message, scheduler, slot } = happening;
  const { namespace, name, uid, resourceVersion } = about.metadata;
  const fieldPath = slot ? `spec.${list[slot.kind]}{${slot.spec.name}}` : undefined;
  const now = timestamp();
  const same = store
    .list(events, namespace)
    .find(
      (e) =>
        e.involvedObject.uid === uid &&
        e.reason === reason &&
        e.message === message &&
        e.involvedObject.fieldPath === fieldPath,
    );
  if (same && !scheduler) {
    store.put(events, { ...same, lastTimestamp: now, count: same.count + 1 });
    return;
  }
  const nanoseconds = BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n);
  store.put(events, {
    kind: 'Event',
    apiVersion: 'v1',
    metadata: { name: `${name}.${nanoseconds.toString(16)}`, namespace, uid: randomUUID(), creationTimestamp: now },
    involvedObject: {
      kind: about.kind,
      namespace,
      name,
      uid,
      apiVersion: about.apiVersion,
      resourceVersion,
      ...(fieldPath ? { fieldPath } : {}),
    },
    reason,
    message,
    source: scheduler ? {} : { component: 'kubelet', host: nodeName },
    firstTimestamp: scheduler ? null : now,
    lastTimestamp: scheduler ? null : now,
    ...(scheduler ? {} : { count: 1 }),
    type,
    eventTime: scheduler ? new Date().toISOString().replace('Z', '000Z') : null,
    ...(scheduler ? { action: 'Binding' } : {}),
    reportingComponent: scheduler ? 'default-scheduler' : 'kubelet',
    reportingInstance: scheduler ? 'default-scheduler-node1' : nodeName,
  });
}
