/** For `NODE_OPTIONS=--require …/preload.cjs` (or --import): starts the agent with what NODEOPS_* variables say, or steps aside. */
import './guest/loaded.ts';
import workerSource from 'bundle:src/agent/worker.ts';
import { shouldStayOut } from './guest/bystander.ts';
import { running, start } from './main-thread/only.ts';
import { fromEnvironment } from './settings.ts';

try {
  if (!shouldStayOut() && !running()) start(fromEnvironment(process.env), workerSource);
} catch {
  // a guest: the app starts whatever becomes of us
}
