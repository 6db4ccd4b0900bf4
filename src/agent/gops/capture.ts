/** A capture for gops: started, waited for, and handed on; it knows no stopping and no resuming. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CaptureName, JobInfo } from '../../protocol/captures.ts';
import { decodeError } from '../../protocol/wire.ts';
import type { OwnPort } from './own-port.ts';

const pollMs = 200;
/** What a capture may take beyond its duration. */
const graceMs = 60_000;

/** Runs `use` on the artifact as the agent makes it; the job is removed whatever comes. */
export async function withCapture<T>(
  own: OwnPort,
  capture: CaptureName,
  durationMs: number,
  use: (artifact: IncomingMessage) => Promise<T>,
): Promise<T> {
  const { id } = await own.ask<JobInfo>('POST', `${capture}?duration=${durationMs}`);
  try {
    const endAt = performance.now() + durationMs + graceMs;
    while (true) {
      const info = await own.ask<JobInfo>('GET', `jobs/${id}`);
      if (info.state === 'finished') break;
      // what is not kept on disk goes on only as it is fetched
      if (info.state === 'running' && !info.resumable && info.bytes > 0) break;
      if (info.state !== 'running')
        throw decodeError({ error: info.error }) ?? new Error(`the ${capture} was ${info.state}`);
      if (performance.now() > endAt) throw new Error(`the ${capture} did not end`);
      await sleep(pollMs);
    }
    return await use(await own.open('GET', `jobs/${id}/artifact`));
  } finally {
    await own.json('DELETE', `jobs/${id}`).catch(() => {});
  }
}
