import { badRequest } from './status.ts';
import type { Json, KubeObject } from './types.ts';

/** The container a request means; without a name the only one, or the annotated default. Throws 400 as the server does. */
export function chooseContainer(pod: KubeObject, asked: string | null, forLog = false): string {
  const { name } = pod.metadata;
  const names = (list: Json[] | undefined) => (list ?? []).map((c) => c.name as string);
  const apps = names(pod.spec.containers);
  const init = names(pod.spec.initContainers);
  const ephemeral = names(pod.spec.ephemeralContainers);
  if (asked) {
    if ([...apps, ...init, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const preferred = forLog ? undefined : pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred && apps.includes(preferred)) return preferred;
  if (apps.length === 1) return apps[0]!;
  let message = `a container name must be specified for pod ${name}, choose one of: [${apps.join(' ')}]`;
  if (init.length) message += ` or one of the init containers: [${init.join(' ')}]`;
  if (ephemeral.length) message += ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`;
  throw badRequest(message);
}
