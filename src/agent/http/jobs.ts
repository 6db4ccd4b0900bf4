/** The captures of one agent, behind its server. Loaded with the first request for one. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pathPrefix } from '../../protocol/wire.ts';
import type { JobProcess } from '../captures/job.ts';
import { JobManager } from '../captures/manager.ts';
import { look } from '../operations/look.ts';
import type { Pod } from '../pod.ts';
import type { Resident } from '../resident.ts';
import { handleJobRequest } from './job-requests.ts';

/** A capture can wait for a main thread that is in native code for a while, where a reading says what the kernel shows instead. */
const openMs = 10_000;
const jobsPrefix = `${pathPrefix}jobs/`;
const managers = new WeakMap<Pod, JobManager>();
/** Whose captures run here from outside: a process that could not be woken when one was started may be awake by now. */
const residents = new WeakMap<JobProcess, Resident>();

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
  if (!path.startsWith(jobsPrefix)) return undefined;
  const [id = ''] = path.slice(jobsPrefix.length).split('/');
  const process = managers.get(pod)?.processOf(id);
  return process && residents.get(process);
}

export async function answerJob(
  pod: Pod,
  resident: Resident,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { container, pid } = resident.info;
  const process: JobProcess = { container, pid, look: (read) => look(resident, read, openMs) };
  if (resident.asleep) residents.set(process, resident);
  await handleJobRequest(request, response, { jobs: managerOf(pod), process, readOnly: pod.settings.readOnly });
}
