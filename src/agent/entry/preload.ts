/** For `NODE_OPTIONS=--require …/preload.cjs` (or --import): starts the agent with what NODEOPS_* variables say, or steps aside. */
import '../main-thread/loaded.ts';
import workerSource from 'bundle:src/agent/entry/worker.ts';
import { running, start } from '../main-thread/only.ts';
import { fromEnvironment } from '../settings/agent-settings.ts';
import { shouldStayOut } from './bystander.ts';

try {
  if (!shouldStayOut() && !running()) start(fromEnvironment(process.env), workerSource);
} catch {
  // a guest: the app starts whatever becomes of us
}
