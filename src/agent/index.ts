/** The library's entry: gops' `agent.Listen` and `agent.Close`. */
import workerSource from 'bundle:src/agent/worker.ts';
import { cannotHost } from './guest/bystander.ts';
import { running, start } from './guest/only.ts';
import type * as Public from './public.d.ts';
import { complete } from './settings.ts';

export type { AgentHandle, ListenOptions } from './public.d.ts';

const startMs = 5_000;

export const listen: typeof Public.listen = async (options = {}) => {
  const settings = complete(options, process.env);
  if (cannotHost()) return undefined;
  const guest = running() ?? start(settings, workerSource);
  // this timer is what keeps a process alive that waits for `listen` before it opens anything of its own
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, startMs, undefined);
  });
  const port = await Promise.race([guest.ready, late]);
  clearTimeout(timer);
  return port === undefined ? undefined : { port, close };
};

export const close: typeof Public.close = async () => {
  await running()?.close();
};
