/** What the cluster can tell of a pod: the object with its secrets masked, events, and the ends of its logs. */
import { stringify } from 'yaml';
import type { Secrets } from '../../../secrets/secrets.ts';
import type { Io } from '../../io.ts';
import type { KubeApi } from '../../transport/kube/api.ts';
import { containersOf, getPod, type Pod, type PodRef } from '../../transport/kube/pods.ts';
import type { Subject } from './contents.ts';
import { readLog } from './log.ts';

interface Event {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly firstTimestamp?: string | null;
  readonly source?: { readonly component?: string };
  readonly reportingComponent?: string;
}
/** The latest are kept. */
const limitEvents = 500;

export async function collectPod(
  api: KubeApi,
  ref: PodRef,
  subject: Subject,
  secrets: Secrets,
  tail: number,
  io: Io,
): Promise<void> {
  let pod: Pod | undefined;
  await subject.try('pod', io.signal, async () => {
    pod = (await getPod(api, ref, io.signal)).pod;
    const shown = secrets.object(pod);
    await subject.text('pod', 'pod.yaml', stringify(shown), { masked: true });
    const { phase } = pod.status ?? {};
    if (phase) subject.facts.push(['phase', phase]);
    for (const { name, restartCount } of restartsOf(pod))
      subject.facts.push([`restarts of ${name}`, String(restartCount)]);
  });
  await subject.try('events', io.signal, () => addEvents(api, ref, pod, subject, secrets, io.signal));
  if (!pod) {
    subject.lacks('logs', 'the pod could not be read, so its containers are not known');
    return;
  }
  const inits = (pod.spec?.initContainers ?? []).map(({ name }) => name);
  for (const container of new Set([...inits, ...containersOf(pod)])) {
    for (const previous of [false, true]) {
      const what = `log of ${container}${previous ? ', previous' : ''}`;
      await subject.try(what, io.signal, async () => {
        const text = await readLog(api, ref, { container, previous, tail }, io.signal);
        await subject.text(what, `${container}${previous ? '.previous' : ''}.log`, text, { tail: true });
      });
    }
  }
}

function restartsOf({ status }: Pod): { name: string; restartCount: number }[] {
  return (status?.containerStatuses ?? []).flatMap((each) => {
    const { restartCount } = each as { restartCount?: number };
    return restartCount ? [{ name: each.name, restartCount }] : [];
  });
}

async function addEvents(
  api: KubeApi,
  { namespace, name }: PodRef,
  pod: Pod | undefined,
  subject: Subject,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<void> {
  const uid = pod?.metadata.uid;
  const fieldSelector = [`involvedObject.name=${name}`, ...(uid ? [`involvedObject.uid=${uid}`] : [])].join(',');
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
  const rights = [{ verb: 'list', resource: 'events', namespace }];
  const events: Event[] = [];
  for await (const event of api.list<Event>(path, { query: { fieldSelector }, signal, rights })) {
    events.push(event);
    if (events.length > limitEvents) events.shift();
  }
  const shown = secrets.object(events.sort((a, b) => when(a).localeCompare(when(b)))) as Event[];
  const readable = shown.map(eventLine).join('\n') || 'no events';
  await subject.text('events', 'events.yaml', stringify(shown), { readable, masked: true });
}

function when({ lastTimestamp, eventTime, firstTimestamp }: Event): string {
  return lastTimestamp ?? eventTime ?? firstTimestamp ?? '';
}

function eventLine(event: Event): string {
  const { type, reason, message, count = 1, source, reportingComponent } = event;
  const from = source?.component ?? reportingComponent ?? '';
  return `${when(event)}  ${type ?? ''}  ${reason ?? ''}${count > 1 ? ` ×${count}` : ''}  ${from}  ${(message ?? '').trim()}`;
}
