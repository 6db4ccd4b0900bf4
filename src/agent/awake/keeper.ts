/** The awake agent of a container: its own port, its sleepers, and the pod's known port if it gets it. */
import type { Server } from 'node:net';
import type { ProcessInfo } from '../../protocol/replies.ts';
import { writePortFile, writeUnlessLeaving } from '../config-dir.ts';
import type { Stores } from '../crash/stores.ts';
import { dialHost } from '../lease/address.ts';
import { isKin, type Sibling } from '../lease/messages.ts';
import type { FromWorker, Task } from '../worker.ts';
import { doorstep } from './accept.ts';
import { type Contention, contend } from './contend.ts';
import { leaseTaker } from './leases.ts';
import { peers } from './peers.ts';
import type { Front, Pod, Resident } from './pod.ts';
import { receive } from './receive.ts';
import { refuse, sleepers } from './sleepers.ts';

/** Processes that a keeper answers for besides its own and its sleepers: those that a sidecar finds. It is then no app itself. */
export interface Beyond {
  /** Called once, when the keeper listens. */
  start(parts: {
    open: (front: () => Front) => Server;
    changed: () => void;
    /** Processes that agents in them answer for, here and in other containers. */
    agents: () => readonly ProcessInfo[];
    /** Where this one is registered, if another agent is the door of the pod. */
    door: () => { host: string; port: number } | undefined;
  }): void;
  all(): readonly Resident[];
  /** See Pod. */
  stores(container: string | undefined): Stores | undefined;
  /** A request has come. */
  used(): void;
}

/** Returns the processes that it answers for, at the time that is asked. */
export function startKeeper(
  { settings, identity, port }: Task,
  inherited: readonly Sibling[],
  tell: (message: FromWorker) => void,
  beyond?: Beyond,
): () => readonly Resident[] {
  let self: Resident = { info: identity.info, version: identity.version, asleep: undefined };
  let contention: Contention | undefined;
  const isDoor = () => contention?.standing === 'door';
  const residents = (): Resident[] => {
    const sleeping = here.all();
    if (!beyond) return [self, ...sleeping];
    // what was found a moment before its agent registered is in the same pid namespace
    const pids = new Set(sleeping.map(({ info }) => info.pid));
    return [...sleeping, ...beyond.all().filter(({ info }) => !pids.has(info.pid))];
  };
  const local = () => residents().map(({ info }) => info);
  const others = peers(() => [settings.port, self.info.port, ...local().map((info) => info.port)]);

  const pod: Pod = {
    settings,
    get self() {
      return self;
    },
    residents,
    list() {
      const processes = local().map((info) => (info === self.info ? { ...info, door: isDoor() } : info));
      if (!isDoor()) return processes;
      // a process on its way from peer to sleeper is both for a moment, on a port each
      const key = ({ container, pid, startedAt }: ProcessInfo) => `${container} ${pid} ${startedAt}`;
      const known = new Set(processes.map(key));
      return [...processes, ...others.processes().filter((info) => !known.has(key(info)))];
    },
    doorElsewhere: () =>
      contention?.standing === 'registered' ? { host: dialHost(settings.host), port: settings.port } : undefined,
    ...(beyond && { stores: (container) => beyond.stores(container) }),
    storesElsewhere() {
      const sidecar = isDoor() ? others.sidecar() : undefined;
      return sidecar && { host: '127.0.0.1', port: sidecar.port };
    },
    notes: () => [...settings.notes, ...(contention?.obstacle ? [contention.obstacle] : [])],
  };

  const serve = receive(pod);
  const steps = doorstep(
    (...request) => {
      beyond?.used();
      serve(...request);
    },
    leaseTaker((hello, lease) => {
      if (hello.t === 'awake') here.woken(hello, lease);
      else if (hello.t === 'sleeper') {
        if (isKin(hello.kin, identity.kin)) here.take(hello, lease);
        else if (isDoor()) others.direct(hello.kin, lease);
        else refuse(lease, 'another container');
      } else if (isDoor()) others.take(hello, lease, isKin(hello.kin, identity.kin));
      else refuse(lease, 'not the door');
    }),
  );
  const here = sleepers({
    configDir: settings.configDir,
    keeper: identity.info,
    inherited,
    keeperPort: () => self.info.port,
    open: steps.open,
    changed: () => contention?.report(),
  });

  const own = steps.open(() => self);
  own.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
    const { port: ownPort } = own.address() as { port: number };
    self = { ...self, info: { ...self.info, port: ownPort } };
    Atomics.store(port, 0, ownPort);
    writeUnlessLeaving(port, () => writePortFile(settings.configDir, process.pid, ownPort));
    if (settings.port !== 0) {
      const front = (): Front => 'door';
      contention = contend({
        settings,
        server: steps.open(front),
        hello: () => ({ t: 'peer', kin: identity.kin, info: self.info }),
        processes: local,
        sleep: () => tell({ t: 'sleep' }),
      });
    }
    beyond?.start({
      open: steps.open,
      changed: () => contention?.report(),
      agents: () => [...here.all().map(({ info }) => info), ...others.processes()],
      door: pod.doorElsewhere,
    });
    tell({ t: 'ready', port: ownPort });
  });
  // no loopback, no descriptors left: the main thread tries again a few times
  own.on('error', () => process.exit(1));
  return residents;
}
