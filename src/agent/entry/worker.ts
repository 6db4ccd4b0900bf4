/** What runs in the worker thread. While nobody asks, it holds listening sockets and watches; the server is loaded with the first request. */
import { parentPort, workerData } from 'node:worker_threads';
import { startMember } from '../compose.ts';
import { removeBox } from '../crash/box.ts';
import type { FromWorker, Task, ToWorker } from '../main-thread/task.ts';
import { removePortFile, removeStaleFiles, writePortFile, writeUnlessLeaving } from '../membership/config-dir.ts';
import { hold, watcherName } from '../membership/names.ts';
import { readListeners } from '../membership/ports.ts';
import { attend, recorder } from '../operations/attend.ts';
import { Departure } from '../recorder/departure.ts';
import { endSessions, shareDeparture } from '../recorder/unseen-session.ts';

/** How often files of processes that were killed are looked for. */
const tidyMs = 15_000;

const task = workerData as Task;
const { settings, identity } = task;
const departure = new Departure(task.departure);
shareDeparture(departure);
const tell = (message: FromWorker) => parentPort?.postMessage(message);
const end = () => process.exit(0);

// an error of ours is no reason to leave a blocked app without an agent; many are
let errors = 0;
process.on('uncaughtException', () => {
  if (++errors > 100) process.exit(1);
});
process.on('unhandledRejection', () => {});

if (task.role === 'watcher' && !hold(watcherName(identity.kin, settings.port))) {
  tell({ t: 'second' });
  end();
} else start();

function start(): void {
  const member = startMember(task);
  // no loopback, no descriptors left: the main thread tries again a few times
  if (!member) process.exit(1);
  Atomics.store(task.port, 0, member.port);
  writeUnlessLeaving(task.port, () => writePortFile(settings.configDir, process.pid, member.port));
  parentPort?.on('message', (message: ToWorker) => {
    if (typeof message === 'object') return give(message);
    if (message === 'rest' && member.connections() > 0) return tell({ t: 'up', port: member.port });
    if (message !== 'lead') end();
    tell({ t: 'contends', leads: member.contend() });
  });
  departure.attend();
  const stays = task.role === 'watcher';
  if (stays) member.contend();
  else endWhenIdle(member);
  tell({ t: 'up', port: member.port });
  const { pod } = member;
  const lookedAfter = () => {
    // who has come since is known the next time
    void pod.refresh();
    return pod.residents();
  };
  attend(task.recorder, identity, stays ? lookedAfter : undefined);
  const tidy = () => removeStaleFiles(settings.configDir, readListeners());
  tidy();
  setInterval(tidy, tidyMs).unref();
}

/** What the main thread waits for. */
function give(message: Exclude<ToWorker, string>): void {
  try {
    if (message.t === 'keep') recorder().kept?.write(message.record.name, message.record.text);
    else endSessions();
    if (message.t !== 'leave') return;
    if (task.recorder.kept) attempt(() => removeBox(task.recorder.kept!));
    if (message.last) recorder().kept?.write(message.last.name, message.last.text);
    if (message.cleans) removePortFile(settings.configDir, process.pid, Atomics.load(task.port, 0));
  } catch {
    // no room, no rights: the app ends as it would have
  } finally {
    departure.done();
  }
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // there was none
  }
}

function endWhenIdle({ pod, connections }: NonNullable<ReturnType<typeof startMember>>): void {
  const holds: (() => boolean)[] = [];
  pod.holding = (held) => void holds.push(held);
  let lastUse = performance.now();
  setInterval(
    () => {
      const now = performance.now();
      if (connections() > 0 || recorder().busy() || holds.some((held) => held())) lastUse = now;
      if (now - lastUse < settings.sleepAfterMs) return;
      lastUse = now;
      tell({ t: 'idle' });
    },
    Math.min(1_000, settings.sleepAfterMs),
  );
}
