/** GET pods/NAME/log. */
import type { ServerResponse } from 'node:http';
import type { Kubelet } from '../kubelet/kubelet.ts';
import { chooseContainer } from './podcontainer.ts';
import type { RequestInfo } from './request.ts';
import { badRequest } from './status.ts';
import type { KubeObject } from './types.ts';

export function podLog(kubelet: Kubelet, pod: KubeObject, info: RequestInfo, response: ServerResponse): void {
  const { name, namespace } = pod.metadata;
  const container = chooseContainer(pod, info.query.get('container'), true);
  const flag = (key: string) => ['true', '1'].includes(info.query.get(key) ?? '');
  const number = (key: string) => (info.query.has(key) ? Number(info.query.get(key)) : undefined);
  const slot = kubelet.worker(namespace, name)?.slot(container);
  if (!pod.spec.nodeName) {
    response.writeHead(200, { 'content-type': 'text/plain' }).end();
    return;
  }
  const log = flag('previous') ? slot?.previousLog : slot?.log;
  if (flag('previous') && !log)
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  if (!log) {
    const why = slot?.state.waiting?.reason;
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: ${why ?? 'ContainerCreating'}`);
  }
  const sinceSeconds = number('sinceSeconds');
  const sinceTime = info.query.get('sinceTime');
  const since =
    sinceSeconds !== undefined
      ? new Date(Date.now() - sinceSeconds * 1000)
      : sinceTime
        ? new Date(sinceTime)
        : undefined;
  const timestamps = flag('timestamps');
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write(log.read({ tailLines: number('tailLines'), limitBytes: number('limitBytes'), since, timestamps }));
  if (!flag('follow')) {
    response.end();
    return;
  }
  response.flushHeaders();
  const stop = log.follow(
    timestamps,
    (text) => response.write(text),
    () => response.end(),
  );
  response.on('close', stop);
}
