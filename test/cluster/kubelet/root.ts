/** The root directory of one container: a skeleton on the cluster's own tmpfs, and what is mounted on it. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ControlGroup } from './cgroup.ts';
import { type Mount, placeholder } from './mounts.ts';

const passwd = (uid: number) =>
  [
    'root:x:0:0:root:/root:/bin/sh',
    ...(uid === 1000 ? [] : ['node:x:1000:1000:node:/home/node:/bin/sh']),
    ...(uid === 0 ? [] : [`${uid === 1000 ? 'node' : 'app'}:x:${uid}:${uid === 1000 ? 1000 : 0}::/home/node:/bin/sh`]),
    '',
  ].join('\n');

export interface RootOptions {
  /** The image's content. */
  readonly tree: string;
  readonly hostname: string;
  readonly address: string;
  readonly uid: number;
  readonly gid: number;
  readonly workingDirectory: string;
  readonly group: ControlGroup | undefined;
  /** Shared by the pod's containers. */
  readonly sharedMemory: string;
  /** Devices, made once per cluster. */
  readonly devices: string;
  readonly readOnly: boolean;
}

/** Makes the directory and returns the mounts that complete it. */
export function makeRoot(root: string, options: RootOptions): Mount[] {
  const mounts: Mount[] = options.readOnly ? [{ source: root, target: root, options: 'bind' }] : [];
  const mount = (source: string, target: string, how: string, type?: string) =>
    mounts.push({ source, target: join(root, target), options: how, ...(type ? { type } : {}) });
  for (const directory of ['etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'var/run', 'root', 'home/node'])
    mkdirSync(join(root, directory), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  own(join(root, 'home/node'), options.uid, options.gid);
  const etc: Record<string, string> = {
    passwd: passwd(options.uid),
    group: 'root:x:0:\nnode:x:1000:\n',
    hostname: `${options.hostname}\n`,
    hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost\n${options.address}\t${options.hostname}\n`,
    'resolv.conf': 'nameserver 10.96.0.10\n',
    'nsswitch.conf': 'hosts: files dns\n',
  };
  for (const [name, text] of Object.entries(etc)) writeFileSync(join(root, 'etc', name), text);
  for (const name of readdirSync(options.tree)) {
    const inTree = join(options.tree, name);
    if (['etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'var'].includes(name)) continue;
    const kind = lstatSync(inTree);
    if (kind.isSymbolicLink()) symlinkSync(readlinkSync(inTree), join(root, name));
    else {
      placeholder(join(root, name), kind.isDirectory());
      mount(inTree, name, 'rbind');
    }
  }
  if (!options.workingDirectory.startsWith('/usr'))
    mkdirSync(join(root, options.workingDirectory), { recursive: true });
  mount('proc', 'proc', 'nosuid,nodev,noexec', 'proc');
  mount(options.devices, 'dev', 'rbind');
  mount(options.sharedMemory, 'dev/shm', 'bind');
  const messages = `${root}-termination-log`;
  writeFileSync(messages, '');
  chmodSync(messages, 0o666);
  mount(messages, 'dev/termination-log', 'bind');
  mount('sysfs', 'sys', 'ro,nosuid,nodev,noexec', 'sysfs');
  const views = options.group?.views ?? [];
  // sysfs offers /sys/fs/cgroup as an empty directory: version 1's controllers need places in it
  if (views.length > 1) mount('tmpfs', 'sys/fs/cgroup', 'mode=755', 'tmpfs');
  for (const { source, target } of views) mount(source, target, 'bind,ro,X-mount.mkdir');
  return mounts;
}

/** Devices every container has, bound from the host's once per cluster. */
export function makeDevices(directory: string): Mount[] {
  const mounts: Mount[] = [];
  for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty']) {
    placeholder(join(directory, name), false);
    mounts.push({ source: `/dev/${name}`, target: join(directory, name), options: 'bind' });
  }
  for (const name of ['shm', 'pts']) placeholder(join(directory, name), true);
  placeholder(join(directory, 'termination-log'), false);
  for (const [at, target] of [
    ['fd', '/proc/self/fd'],
    ['stdin', '/proc/self/fd/0'],
    ['stdout', '/proc/self/fd/1'],
    ['stderr', '/proc/self/fd/2'],
  ] as const)
    symlinkSync(target, join(directory, at));
  return mounts;
}

function own(path: string, uid: number, gid: number): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    chmodSync(path, 0o777);
  }
}
