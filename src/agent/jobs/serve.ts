/** The captures of one agent, behind its server. Loaded with the first request for one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pathPrefix } from '../../protocol/wire.ts';
import type { Pod, Resident } from '../awake/pod.ts';
import { look } from '../serve/look.ts';
import { JobManager } from './manager.ts';
import { handleJobRequest } from './requests.ts';

const managers = new WeakMap<Pod, JobManager>();
/** Whose capture a job is, by its id: a process that could not be woken when it was started may be awake by now. */
const residents = new WeakMap<Pod, Map<string, Resident>>();

function managerOf(pod: Pod): JobManager {
  let manager = managers.get(pod);
  if (!manager) {
    const made = new JobManager(pod.settings.artifacts);
    manager = made;
    managers.set(pod, made);
    pod.holding?.(() => made.size > 0);
  }
  return manager;
}

/** The process of a job that this agent runs from outside; undefined for paths of other jobs. */
export function runsHere(pod: Pod, path: string): Resident | undefined {
  const [id = ''] = path.slice(`${pathPrefix}jobs/`.length).split('/');
  return path.startsWith(`${pathPrefix}jobs/`) ? residents.get(pod)?.get(id) : undefined;
}

export async function answerJob(
  pod: Pod,
  resident: Resident,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { container, pid } = resident.info;
  const jobs = managerOf(pod);
  const known = residents.get(pod) ?? new Map<string, Resident>();
  residents.set(pod, known);
  const context = {
    jobs,
    process: { container, pid, look: <T>(read: Parameters<typeof look<T>>[1]) => look(resident, read) },
    readOnly: pod.settings.readOnly,
  };
  await handleJobRequest(request, response, context);
  for (const id of jobs.ids()) if (resident.asleep && !known.has(id)) known.set(id, resident);
  for (const id of known.keys()) if (!jobs.ids().includes(id)) known.delete(id);
}
