/** The worker of a sleeper that was woken: answers for its process alone, and ends when nobody has asked for a while. */
import { connect } from 'node:net';
import { openingBytes } from '../lease/messages.ts';
import { recorder } from '../recorder/attend.ts';
import type { Task } from '../worker.ts';
import { doorstep } from './accept.ts';
import type { Pod, Resident } from './pod.ts';
import { receive } from './receive.ts';

export function startWoken({ settings, identity }: Task, role: { key: string; keeperPort: number }): void {
  // its keeper looks after it: without it nobody finds the way here
  const lease = connect({ host: '127.0.0.1', port: role.keeperPort, noDelay: true });
  const end = () => process.exit(0);
  lease.on('error', end).on('close', end).resume();

  const holds: (() => boolean)[] = [];
  const self: Resident = { info: identity.info, version: identity.version, asleep: undefined };
  const pod: Pod = {
    settings,
    self,
    residents: () => [self],
    list: () => [self.info],
    doorElsewhere: () => ({ host: '127.0.0.1', port: role.keeperPort }),
    notes: () => [...settings.notes],
    holding: (held) => void holds.push(held),
  };
  const steps = doorstep(receive(pod), undefined);
  const server = steps.open(() => self);
  server.on('error', end);
  server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
    const { port } = server.address() as { port: number };
    lease.write(openingBytes({ t: 'awake', key: role.key, port }));
  });

  let lastUse = Date.now();
  server.on('connection', () => {
    lastUse = Date.now();
  });
  setInterval(
    () => {
      if (steps.count() > 0 || recorder().busy() || holds.some((held) => held())) lastUse = Date.now();
      else if (Date.now() - lastUse >= settings.sleepAfterMs) end();
    },
    Math.min(1_000, settings.sleepAfterMs),
  );
}
