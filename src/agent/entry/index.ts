/** The library's entry: gops' `agent.Listen` and `agent.Close`. */
import '../main-thread/loaded.ts';
import workerSource from 'bundle:src/agent/entry/worker.ts';
import type { Guest } from '../main-thread/guest.ts';
import { cannotHost } from '../main-thread/host.ts';
import { running, start } from '../main-thread/only.ts';
import type * as Public from '../public.d.ts';
import { complete, type Settings } from '../settings/agent-settings.ts';

export type { AgentHandle, ListenOptions } from '../public.d.ts';

const startMs = 5_000;

export const listen: typeof Public.listen = async (options = {}) => {
  const settings = complete(options, process.env);
  if (cannotHost()) return undefined;
  const guest = running() ?? begin(settings);
  if (!guest) return undefined;
  // this timer is what keeps a process alive that waits for `listen` before it opens anything of its own
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, startMs, undefined);
  });
  const port = await Promise.race([guest.ready, late]);
  clearTimeout(timer);
  return port === undefined ? undefined : { port, close };
};

function begin(settings: Settings): Guest | undefined {
  try {
    return start(settings, workerSource);
  } catch {
    // an app that has frozen its globals
    return undefined;
  }
}

export const close: typeof Public.close = async () => {
  await running()?.close();
};
