/** One pod, from its phase to what its agent says. */

import { wishAnnotations } from '../../../../protocol/annotations.ts';
import { asNodeopsError, NodeopsError } from '../../../../protocol/errors.ts';
import { knownPort } from '../../../../protocol/limits.ts';
import { counted } from '../../../../protocol/text/quantities.ts';
import { podTarget } from '../../../targets/pod.ts';
import { getPod, notRunning, type PodRef } from '../../../transport/kube/pods.ts';
import { type PodEvent, readEvents } from '../../postmortem/pod.ts';
import { type Finding, fail, failure, ok, skip, warn } from '../check.ts';
import type { ClusterLinks } from '../cluster/cluster.ts';
import type { Examination, Link } from '../examination.ts';
import type { Surroundings } from '../surroundings.ts';
import { examineAgent } from './agent.ts';
import { examineInjection } from './injection.ts';
import { appContainers, type PodObject, variable } from './pod-object.ts';
import { examineSpec } from './spec.ts';

export interface PodChoice {
  readonly ref: PodRef;
  readonly container: string | undefined;
  readonly pid: number | undefined;
  /** undefined: the one that the pod asks for */
  readonly port: number | undefined;
}

export function examinePod(exam: Examination, cluster: ClusterLinks, choice: PodChoice, around: Surroundings): void {
  const { ref } = choice;
  const { api } = cluster;
  const pod: Link<PodObject> = exam.link({ id: 'pod', what: 'pod', needs: [api] }, async (signal, server) => {
    const { pod: object } = await getPod(server, ref, signal);
    const found = object as PodObject;
    const age = found.metadata.creationTimestamp ?? 'unknown';
    return ok(`${found.status?.phase ?? 'without a phase'}, created ${age}`, found);
  });
  const running = exam.link({ id: 'pod.running', what: 'pod runs', needs: [api, pod] }, (_, server, object) => {
    const error = notRunning(server, ref, object);
    if (error) return failure(error);
    if (object.metadata.deletionTimestamp) return warn('it is being deleted', { say: 'ask the pod that replaces it' });
    return containersFinding(object, `${server.connection.kubectl} logs ${ref.name} --previous -n ${ref.namespace}`);
  });
  exam.link({ id: 'pod.events', what: 'events of its images', needs: [api, pod] }, async (signal, server, { spec }) => {
    if (!spec.volumes?.some((volume) => volume.image)) return ok('no image volume');
    const events = await readEvents(server, ref, signal).catch((error: unknown) => asNodeopsError(error));
    if (events instanceof NodeopsError) return skip(`events cannot be read: ${events.message}`);
    return eventsFinding(events);
  });
  const asked = examineInjection(exam, { pod, ...cluster }, ref, around);
  examineSpec(exam, pod);
  const target = exam.link(
    { id: 'pod.port', what: "agent's port", needs: [api, pod, running] },
    (_, server, object) => {
      const { port, detail } = portOf(object, choice);
      const reached = podTarget(server, { ...choice, pod: ref, port });
      if (choice.port !== undefined && choice.port !== portOf(object, { ...choice, port: undefined }).port)
        return warn(`${port} was given; the pod asks for ${detail}`, { say: 'leave --port out' }, reached);
      if (port === knownPort) return ok(detail, reached);
      return ok(`${detail}: commands need --port ${port}`, reached);
    },
  );
  examineAgent(exam, target, { around, inPod: { ref, pod, api, asked } });
}

/** Kubelets up to 1.36 tell of each look at an image volume. */
const eventsBearable = 10;

function eventsFinding(events: readonly PodEvent[]): Finding {
  const pulled = Math.max(0, ...events.map(({ reason, count }) => (reason === 'Pulled' ? count : 0)));
  if (pulled <= eventsBearable) return ok(`an image volume; 'Pulled' was told ${counted(pulled, 'time')} at most`);
  return warn(
    `the kubelet told 'Pulled' ${pulled} times of an image volume: nothing is pulled again, but whoever keeps events keeps these`,
    {
      say: 'where that hurts, deliver the agent without an image volume:',
      run: ['helm upgrade nodeops deploy/helm/nodeops -n nodeops --reuse-values --set agent.delivery=init-container'],
    },
  );
}

function portOf(pod: PodObject, { port, container }: PodChoice): { port: number; detail: string } {
  if (port !== undefined) return { port, detail: String(port) };
  const asked = pod.metadata.annotations?.[wishAnnotations.port];
  const containers = appContainers(pod).filter(({ name }) => container === undefined || name === container);
  const set = containers.map((each) => variable(each, 'NODEOPS_PORT')?.value).find((value) => value !== undefined);
  const found = [set, asked].map(Number).find((each) => Number.isInteger(each) && each > 0 && each < 65_536);
  return { port: found ?? knownPort, detail: String(found ?? knownPort) };
}

function containersFinding({ status }: PodObject, logs: string): Finding {
  const states = status?.containerStatuses ?? [];
  const running = states.filter(({ state }) => state?.running).length;
  const summary = `${running} of ${states.length} containers run`;
  const waiting = states.find(({ state }) => state && !state.running);
  const restarted = states.find(({ restartCount = 0 }) => restartCount > 0);
  if (running === 0 && states.length > 0) return fail(summary, { run: [logs] });
  if (waiting)
    return warn(`${summary}; ${waiting.name}: ${waiting.state?.waiting?.reason ?? 'ended'}`, { run: [logs] });
  if (!restarted) return ok(summary);
  const last = restarted.lastState?.terminated;
  const why = last ? `, last with ${last.reason ?? 'Error'}, exit code ${last.exitCode}` : '';
  return warn(`${summary}; ${restarted.name} restarted ${counted(restarted.restartCount ?? 0, 'time')}${why}`, {
    run: [logs],
  });
}
