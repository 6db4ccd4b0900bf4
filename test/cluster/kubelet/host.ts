/** The host's programs that make pods out of processes, by absolute path. util-linux and a shell are enough. */
import { accessSync, constants } from 'node:fs';

export function findProgram(name: string): string | undefined {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin`.split(':');
  return path
    .filter(Boolean)
    .map((directory) => `${directory}/${name}`)
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The program's path. Throws a sentence naming what is missing. */
export function program(name: string): string {
  const found = findProgram(name);
  if (!found) throw new Error(`the embedded cluster needs '${name}' (util-linux), which is not on this machine`);
  return found;
}

/**
 * Shell text that turns the loopback device of a new network namespace on and gives it the pod's address, with whatever this
 * machine has: iproute2, busybox, or the perl that every Debian has (SIOCSIFFLAGS, SIOCSIFADDR on an alias).
 */
export function loopbackUp(address: string): string {
  const ip = findProgram('ip');
  if (ip) return `${ip} link set lo up && ${ip} addr add ${address}/32 dev lo`;
  const busybox = findProgram('busybox');
  if (busybox) return `${busybox} ip link set lo up && ${busybox} ip addr add ${address}/32 dev lo`;
  const packed = address.split('.').join(',');
  const perl = [
    'socket(S,2,2,0) or die;',
    'ioctl(S,0x8914,pack("a16s","lo",0x49)) or die;',
    `ioctl(S,0x8916,pack("a16sxxC4x8","lo:1",2,${packed})) or die;`,
  ].join('');
  const found = findProgram('perl');
  if (found) return `${found} -e '${perl}'`;
  throw new Error("the embedded cluster needs 'ip', 'busybox' or 'perl' to turn a pod's loopback device on");
}
