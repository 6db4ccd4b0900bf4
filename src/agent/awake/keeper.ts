/** The awake agent of a container: its own port, its sleepers, and the pod's known port if it gets it. */
import { writePortFile, writeUnlessLeaving } from '../config-dir.ts';
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

export function startKeeper(
  { settings, identity, port }: Task,
  inherited: readonly Sibling[],
  tell: (message: FromWorker) => void,
): void {
  let self: Resident = { info: identity.info, version: identity.version, asleep: undefined };
  let contention: Contention | undefined;
  const isDoor = () => contention?.standing === 'door';
  const local = () => [self.info, ...here.all().map(({ info }) => info)];
  const others = peers(() => [settings.port, ...local().map((info) => info.port)]);

  const pod: Pod = {
    settings,
    get self() {
      return self;
    },
    residents: () => [self, ...here.all()],
    list() {
      const processes = [{ ...self.info, door: isDoor() }, ...here.all().map(({ info }) => info)];
      // a process on its way from peer to sleeper is both for a moment
      return isDoor()
        ? [...processes, ...others.processes().filter(({ port }) => !processes.some((one) => one.port === port))]
        : processes;
    },
    doorElsewhere: () =>
      contention?.standing === 'registered' ? { host: dialHost(settings.host), port: settings.port } : undefined,
    notes: () => [...settings.notes, ...(contention?.obstacle ? [contention.obstacle] : [])],
  };

  const steps = doorstep(
    receive(pod),
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
    tell({ t: 'ready', port: ownPort });
  });
  // no loopback, no descriptors left: the main thread tries again a few times
  own.on('error', () => process.exit(1));
}
