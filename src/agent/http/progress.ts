import type { ServerResponse } from 'node:http';
import type { Job } from '../captures/job.ts';

/** A line at least this often, so that both ends know that the other is there. */
const lineMs = 1_000;
/** Changes that follow each other faster make one line. */
const gapMs = 100;

/** NDJSON of JobInfo until the job has ended; the last line is its end. A client that does not read gets fewer lines. */
export async function streamProgress(job: Job, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  let ended = false;
  do {
    ended = !job.running;
    if (!response.writableNeedDrain) {
      job.asked();
      response.write(`${JSON.stringify(job.info())}\n`);
    }
    if (ended) break;
    await job.changed.wait(lineMs - gapMs);
    if (job.running) await new Promise((resolve) => setTimeout(resolve, gapMs));
  } while (!response.destroyed && !response.closed);
  response.end();
}
