import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { MemstatsReply } from '../protocol/replies.ts';
import { readKernel } from './files.ts';

/** A cgroup and those above it, innermost first, as directories that can be read from here. */
export interface Path {
  readonly version: 1 | 2;
  readonly directories: readonly string[];
}

/** A limit so large that the kernel uses it for "none" (v1 has no word for it). */
const noLimit = 2 ** 60;

/** The cgroup with the smallest memory limit on the way up. */
export interface MemoryLimit {
  readonly version: 1 | 2;
  readonly directory: string;
  readonly limitBytes: number;
}

/** Null where nothing on the way up sets a memory limit. */
export async function findMemoryLimit(procDir: string): Promise<MemoryLimit | null> {
  const path = await findCgroup(procDir, 'memory');
  let smallest: MemoryLimit | null = null;
  for (const directory of path?.directories ?? []) {
    const { version } = path!;
    const limitBytes = await readNumber(`${directory}/${version === 2 ? 'memory.max' : 'memory.limit_in_bytes'}`);
    if (limitBytes !== null && limitBytes < Math.min(noLimit, smallest?.limitBytes ?? noLimit))
      smallest = { version, directory, limitBytes };
  }
  return smallest;
}

/**
 * What of a cgroup's memory cannot be had back by forgetting file pages that are not in use: what a kubelet calls the working
 * set. At once, for what has no time to wait for a thread of the app's pool; null where it cannot be read.
 */
export function workingSetNow({ version, directory }: MemoryLimit): number | null {
  const used = Number(
    readNow(`${directory}/${version === 2 ? 'memory.current' : 'memory.usage_in_bytes'}`) ?? Number.NaN,
  );
  const inactive = version === 2 ? /^inactive_file (\d+)$/m : /^total_inactive_file (\d+)$/m;
  const [, file] = inactive.exec(readNow(`${directory}/memory.stat`) ?? '') ?? [];
  return Number.isFinite(used) ? Math.max(0, used - Number(file ?? 0)) : null;
}

/** How many processes of a cgroup the kernel has killed for memory; null where it does not count them. */
export function oomKillsNow({ version, directory }: MemoryLimit): number | null {
  const events = readNow(`${directory}/${version === 2 ? 'memory.events' : 'memory.oom_control'}`) ?? '';
  const [, count] = /^oom_kill (\d+)$/m.exec(events) ?? [];
  return count === undefined ? null : Number(count);
}

function readNow(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** The smallest memory limit on the way up, and what is used in the cgroup that sets it; null without a memory cgroup. */
export async function readMemoryCgroup(procDir: string): Promise<MemstatsReply['cgroup']> {
  const path = await findCgroup(procDir, 'memory');
  if (!path) return null;
  const [limitFile, usageFile] =
    path.version === 2 ? ['memory.max', 'memory.current'] : ['memory.limit_in_bytes', 'memory.usage_in_bytes'];
  let limitBytes: number | null = null;
  let usedBytes: number | null = null;
  let limited = path.directories[0] ?? '';
  for (const directory of path.directories) {
    const used = await readNumber(`${directory}/${usageFile}`);
    if (used === null) continue;
    usedBytes ??= used;
    const limit = await readNumber(`${directory}/${limitFile}`);
    if (limit === null || limit >= noLimit || limit >= (limitBytes ?? Number.POSITIVE_INFINITY)) continue;
    limitBytes = limit;
    usedBytes = used;
    limited = directory;
  }
  if (usedBytes === null) return null;
  const cgroup = { version: path.version, directory: limited, limitBytes: limitBytes ?? noLimit };
  return {
    ...{ version: path.version, limitBytes, usedBytes },
    workingSetBytes: workingSetNow(cgroup),
    oomKills: oomKillsNow(cgroup),
  };
}

export interface CpuCgroup {
  /** The smallest quota on the way up, in CPUs. */
  quota: number;
  /** How long the cgroup that sets it has been held back since it was made. */
  throttledSeconds: number | null;
}

/** Null where nothing on the way up sets a quota. */
export async function readCpuCgroup(procDir: string): Promise<CpuCgroup | null> {
  const path = await findCgroup(procDir, 'cpu');
  if (!path) return null;
  let smallest: (CpuCgroup & { directory: string }) | null = null;
  for (const directory of path.directories) {
    const quota = path.version === 2 ? await quotaV2(directory) : await quotaV1(directory);
    if (quota !== null && quota < (smallest?.quota ?? Number.POSITIVE_INFINITY))
      smallest = { quota, throttledSeconds: null, directory };
  }
  if (!smallest) return null;
  const stat = (await readKernel(`${smallest.directory}/cpu.stat`)) ?? '';
  const [, unit, time] = /^throttled_(usec|time) (\d+)/m.exec(stat) ?? [];
  const throttledSeconds = time === undefined ? null : Number(time) / (unit === 'usec' ? 1e6 : 1e9);
  return { quota: smallest.quota, throttledSeconds };
}

async function quotaV2(directory: string): Promise<number | null> {
  const [quota, period] = ((await readKernel(`${directory}/cpu.max`)) ?? '').trim().split(' ').map(Number);
  return quota && period ? quota / period : null;
}

async function quotaV1(directory: string): Promise<number | null> {
  const quota = await readNumber(`${directory}/cpu.cfs_quota_us`);
  const period = await readNumber(`${directory}/cpu.cfs_period_us`);
  return quota !== null && quota > 0 && period ? quota / period : null;
}

async function readNumber(path: string): Promise<number | null> {
  const text = (await readKernel(path))?.trim();
  return text && /^-?\d+$/.test(text) ? Number(text) : null;
}

/**
 * Where a controller's files of a process are. Both files name paths relative to the cgroup namespace of the reader, so
 * their difference is what counts; they are read through the process's own root, for its mounts may differ from ours.
 */
export async function findCgroup(procDir: string, controller: string): Promise<Path | undefined> {
  const [memberships, mountinfo] = await Promise.all([
    readKernel(`${procDir}/cgroup`),
    readKernel(`${procDir}/mountinfo`),
  ]);
  if (memberships === null || mountinfo === null) return undefined;
  const members = parseMemberships(memberships);
  const mounts = parseMounts(mountinfo);
  const v1 = members.find(({ controllers }) => controllers.includes(controller));
  const member = v1 ?? members.find(({ controllers }) => controllers.length === 0);
  const mount = v1
    ? mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller))
    : mounts.find(({ type }) => type === 'cgroup2');
  if (!member || !mount) return undefined;
  const relative = posix.relative(mount.root, member.path);
  const base = `${procDir}/root${mount.point}`;
  const directories = [base];
  // a path outside the mount's root cannot be seen from here: what is mounted is then the nearest known
  if (!relative.startsWith('..'))
    for (const part of relative.split('/').filter(Boolean)) directories.unshift(`${directories[0]}/${part}`);
  return { version: v1 ? 1 : 2, directories };
}

function parseMemberships(text: string): { controllers: string[]; path: string }[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return { controllers: controllers.split(',').filter(Boolean), path: path.join(':') };
    });
}

function parseMounts(text: string): { root: string; point: string; type: string; options: string[] }[] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [, , , root = '/', point = '/'] = before.split(' ').map(unescapeMount);
      const [type = '', , options = ''] = after.split(' ');
      return { root, point, type, options: options.split(',') };
    });
}

/** mountinfo writes space, tab, newline and backslash in octal. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
