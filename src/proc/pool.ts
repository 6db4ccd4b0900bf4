/** The threads of libuv's pool, from outside: how many there are, which work, and at what. */
import { closeSync, openSync, readSync } from 'node:fs';
import { readLinkNow } from './files.ts';
import { isStatic, readMaps } from './maps.ts';
import { syscallName } from './syscalls.ts';
import { type KernelThread, readThreadCall } from './threads.ts';

export interface PoolThreads {
  readonly threads: number;
  /** Null where the kernel does not show what they wait for. */
  readonly busy: number | null;
  /** What the busy ones do, such as `computing` or `openat /mnt/x`. */
  readonly work: readonly string[];
}

/** Calls with a descriptor as their first argument. */
const onDescriptor = new Set(
  ['read', 'write', 'pread64', 'pwrite64', 'readv', 'writev', 'preadv', 'pwritev', 'fsync', 'fdatasync'].concat([
    'getdents64',
    'ftruncate',
    'fstat',
    'lseek',
    'flock',
    'close',
  ]),
);
/** Calls with a path, by the argument that points to it. */
const onPath: Readonly<Record<string, number>> = {
  ...{ open: 0, stat: 0, lstat: 0, unlink: 0, rename: 0 },
  ...{ openat: 1, newfstatat: 1, statx: 1, unlinkat: 1, renameat: 1 },
};
/** What getaddrinfo does while it asks a name server; the pool does nothing else with sockets. */
const onSocket = new Set(['poll', 'ppoll', 'recvfrom', 'recvmsg', 'sendto', 'sendmsg', 'connect']);
const pathLength = 256;
/** CPU that a thread has had when it is said to compute. */
const leastMs = 1;

/** `pool`: those of its threads. An idle one waits for the pool's own condition, which is a variable of the executable or of libuv. */
export function lookAtPool(procDir: string, pool: readonly KernelThread[]): PoolThreads {
  const maps = pool.length > 0 ? readMaps(procDir) : null;
  const work: string[] = [];
  let seen = maps !== null;
  for (const { tid, state, cpuMs } of pool) {
    const call = readThreadCall(procDir, tid);
    if (!call) seen = false;
    else if (call.number === undefined) {
      // one that has only begun is on its way to wait for work
      if (state === 'D') work.push('waiting for a disk');
      else if (cpuMs >= leastMs) work.push('computing');
    } else {
      const name = syscallName(call.number);
      if (name === 'futex') {
        if (maps && !isStatic(maps, Number(call.args[0] ?? 0n))) work.push('waiting for a lock');
      } else work.push(describe(procDir, name, call.args));
    }
  }
  return { threads: pool.length, busy: seen ? work.length : null, work };
}

function describe(procDir: string, name: string, args: readonly bigint[]): string {
  if (onSocket.has(name)) return 'looking up a name';
  if (onDescriptor.has(name)) {
    const file = readLinkNow(`${procDir}/fd/${args[0]}`);
    return file ? `${name} ${file}` : name;
  }
  const at = onPath[name];
  const path = at === undefined ? undefined : readString(procDir, args[at] ?? 0n);
  return path ? `${name} ${path}` : name;
}

/** A text that ends in a zero byte in the memory of the process. */
function readString(procDir: string, address: bigint): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(`${procDir}/mem`, 'r');
    const bytes = Buffer.alloc(pathLength);
    // the text may end at the end of what is mapped
    const room = 4096 - Number(address % 4096n);
    const read = readSync(file, bytes, 0, Math.min(pathLength, room), address);
    const end = bytes.indexOf(0);
    return bytes.toString('utf8', 0, end < 0 ? read : end);
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
