/** What a test's app runs in a worker thread: the captures and effects behind HTTP, without the rest of the agent. */
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { threadId, workerData } from 'node:worker_threads';
import { JobManager } from '../../../src/agent/captures/manager.ts';
import { handleJobRequest } from '../../../src/agent/http/job-requests.ts';
import { effects } from '../../../src/inspect/effects/effects.ts';
import { openLocal } from '../../../src/inspect/local.ts';
import type { Subject } from '../../../src/inspect/subject.ts';
import { asNodeopsError } from '../../../src/protocol/errors.ts';
import type { HarnessOptions } from './harness.ts';

const options = workerData as HarnessOptions;
// as the agent's worker does: Node's own inspector client may throw on what it receives
process.on('uncaughtException', () => {});

const look = async <T>(read: (subject: Subject) => Promise<T>): Promise<T> => {
  const inspector = openLocal();
  const subject: Subject = {
    pid: process.pid,
    procDir: '/proc/self',
    inspector: async () => inspector,
    lastKnown: new Map(),
    ownThreadId: threadId,
  };
  try {
    return await read(subject);
  } finally {
    await inspector.close();
  }
};

const settings = { directory: options.directory, limitBytes: options.limitBytes ?? 1e10, keptBytes: 0, notes: [] };
const jobs = new JobManager(settings, options.times, options.memory);
const target = { container: null, pid: process.pid, look };

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '', 'http://agent');
  const reply = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  if (url.pathname === '/close') {
    await jobs.close();
    return reply(200, {});
  }
  if (url.pathname === '/memory') return reply(200, process.memoryUsage());
  const effect = url.pathname.slice('/effects/'.length);
  if (url.pathname.startsWith('/effects/')) {
    try {
      const parameters = Object.fromEntries(url.searchParams) as never;
      return reply(200, await look((subject) => effects[effect as 'gc'](subject, parameters)));
    } catch (error) {
      const { code, message, hint } = asNodeopsError(error);
      return reply(400, { error: { code, message, hint } });
    }
  }
  const ours = await handleJobRequest(request, response, {
    jobs,
    process: target,
    readOnly: options.readOnly ?? false,
  });
  if (!ours) reply(404, {});
});
server.listen(0, '127.0.0.1', () => writeSync(1, `PORT ${(server.address() as { port: number }).port}\n`));
