import type { JobInfo } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Jobs } from './jobs.ts';
import { isCut, type Reconnect } from './reconnect.ts';

export interface FollowOptions {
  readonly reconnect: Reconnect;
  readonly signal: AbortSignal;
  readonly onInfo: (info: JobInfo) => void;
}

/** Watches a job until it runs no more, over as many connections as it takes. */
export async function follow(jobs: Jobs, id: string, options: FollowOptions): Promise<JobInfo> {
  const { reconnect, signal, onInfo } = options;
  for (;;) {
    try {
      for await (const info of jobs.progress(id, signal)) {
        reconnect.arrived();
        onInfo(info);
        if (info.state !== 'running') return info;
      }
      throw new NodeopsError('unreachable', `the connection to ${jobs.target.endpoint.name} was cut`);
    } catch (error) {
      await reconnect.after(error);
      jobs.reconnect();
    }
  }
}

/** Repeats one request until it is answered. */
export async function insist<T>(jobs: Jobs, reconnect: Reconnect, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const answer = await ask();
      reconnect.arrived();
      return answer;
    } catch (error) {
      await reconnect.after(error);
      if (isCut(error)) jobs.reconnect();
    }
  }
}
