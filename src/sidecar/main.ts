/**
 * The sidecar: answers for the Node processes of its pod that load no library. It holds the pod's known port, or registers with
 * the agent that does; processes on standby are answered for by it. Started from the image: `node /nodeops/sidecar.cjs`.
 */

import { startMember } from '../agent/compose.ts';
import { writePortFile } from '../agent/membership/config-dir.ts';
import { identify } from '../agent/membership/identity.ts';
import { fromEnvironment } from '../agent/settings/agent-settings.ts';
import { keptSettings } from '../agent/settings/kept-settings.ts';
import { sidecarContainer, sidecarVariables } from '../protocol/attach.ts';
import { Lines } from './processes/lines.ts';
import { PodProcesses } from './processes/pod-processes.ts';
import { Residents } from './processes/residents.ts';
import { podStores } from './stores/container-stores.ts';
import { watchContainers } from './stores/standby-records.ts';

/** How long what was opened may take to be closed: less than the 30 seconds a pod has to end. */
const closeMs = 5_000;
const idleLookMs = 5_000;

/** Where a kubelet shows why a container ended. */
function say(text: string): void {
  process.stderr.write(`nodeops sidecar: ${text}\n`);
}

function start(): void {
  const { env } = process;
  const told = fromEnvironment(env);
  const kept = keptSettings(env);
  const stores = podStores(kept);
  // agents that hold the pod's port know by its name who sees what all containers have kept
  const settings = stores ? { ...told, container: told.container ?? sidecarContainer } : told;
  for (const note of settings.notes) say(note);
  const lines = new Lines();
  // what it shares a pid namespace with is another container's
  const residents = new Residents(lines, null, env[sidecarVariables.target] || null);
  const processes = new PodProcesses(residents, stores ?? (() => undefined));
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), closeMs);
    lines.close().finally(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  // one request gone wrong is no reason to leave the pod without a leader
  process.on('uncaughtException', (error) => say(String(error?.stack ?? error)));
  process.on('unhandledRejection', (error) => say(String(error)));

  const member = startMember({
    settings,
    identity: identify(settings),
    role: 'sidecar',
    mainPort: 0,
    beyond: processes,
  });
  if (!member) throw new Error('no port is to be had on 127.0.0.1');
  writePortFile(settings.configDir, process.pid, member.port);
  member.contend();
  say(`looking after the Node.js processes of this pod; port ${settings.port}`);
  if (kept) watchContainers(kept, member.pod.residents);

  const idleExitMs = Number(env[sidecarVariables.idleExitMs] ?? 0);
  if (idleExitMs > 0)
    setInterval(
      () => {
        if (processes.idleMs() < idleExitMs) return;
        say(`nobody has asked for ${Math.round(idleExitMs / 1_000)} s: ending`);
        end();
      },
      Math.min(idleLookMs, idleExitMs),
    ).unref();
}

try {
  start();
} catch (error) {
  say((error as Error).message);
  process.exitCode = 1;
}
