// Preloaded into an app under test: starts the worker beside this file, as the agent does.
import { join } from 'node:path';
import { isMainThread, Worker } from 'node:worker_threads';
import { installCounters } from '../../../src/inspect/counters.ts';
import { countErrors } from '../../../src/inspect/error-counter.ts';

if (isMainThread) {
  installCounters();
  countErrors();
  new Worker(join(__dirname, 'answer.cjs'), { execArgv: [], env: {}, stdout: true, stderr: true }).unref();
}
