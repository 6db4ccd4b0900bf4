/** As much of kube-proxy as the API server needs for webhooks: a connection to a ready pod behind a Service. */
import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import { resourceNamed } from '../api/resources.ts';
import { matchesLabels, selectorRequirements } from '../api/selectors.ts';
import type { Store } from '../api/store.ts';
import type { Json } from '../api/types.ts';
import type { Kubelet } from './kubelet.ts';

/** Connects to a port of the Service. Throws with Go's words for a Service that is not there and a connection that is refused. */
export async function dialService(
  store: Store,
  kubelet: Kubelet,
  namespace: string,
  name: string,
  port: number,
): Promise<Socket> {
  const service = store.get(resourceNamed('services'), namespace, name);
  if (!service) throw new Error(`service "${name}" not found`);
  const wanted = service.spec.ports?.find((one: Json) => one.port === port);
  if (!wanted) throw new Error(`no service port ${port} found for service "${name}"`);
  const selector = selectorRequirements({ matchLabels: service.spec.selector });
  const endpoints = store
    .list(resourceNamed('pods'), namespace)
    .filter(({ metadata, status }) => {
      const isReady = status?.conditions?.some((c: Json) => c.type === 'Ready' && c.status === 'True');
      return selector.length > 0 && matchesLabels(selector, metadata.labels) && isReady && !metadata.deletionTimestamp;
    })
    .flatMap(({ metadata, spec }) => {
      const sandbox = kubelet.worker(namespace, metadata.name)?.sandbox;
      const ports: Json[] = spec.containers.flatMap((container: Json) => container.ports ?? []);
      const { targetPort } = wanted;
      const number =
        typeof targetPort === 'number' ? targetPort : ports.find((one) => one.name === targetPort)?.containerPort;
      return sandbox && number ? [{ sandbox, number }] : [];
    });
  const address = `${service.spec.clusterIP}:${port}`;
  if (endpoints.length === 0) throw new Error(`dial tcp ${address}: connect: connection refused`);
  const { sandbox, number } = endpoints[randomInt(endpoints.length)]!;
  try {
    return await sandbox.dial(number, sandbox.address);
  } catch (error) {
    throw new Error(
      `dial tcp ${address}: connect: ${(error as Error).message === 'ECONNREFUSED' ? 'connection refused' : (error as Error).message}`,
    );
  }
}
