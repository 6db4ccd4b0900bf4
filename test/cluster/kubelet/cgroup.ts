/** Memory and CPU limits by control groups, version 1 or 2, where this process may make some below its own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ControlGroup {
  /** Files that a process writes `0` to in order to join. */
  readonly procs: readonly string[];
  /** What the container sees under /sys/fs/cgroup: its own groups. */
  readonly views: readonly { source: string; target: string }[];
  /** How often the kernel killed for lack of memory. */
  oomKills(): number;
  remove(): void;
}

export interface Limits {
  /** Undefined for no limit. */
  readonly memoryBytes: number | undefined;
  /** In CPUs, undefined for no limit. */
  readonly cpus: number | undefined;
}

interface Hierarchy {
  readonly version: 1 | 2;
  /** Directories of the cluster's own groups, by controller (`''` is version 2's only one). */
  readonly bases: ReadonlyMap<string, string>;
}

export class ControlGroups {
  readonly #hierarchy: Hierarchy | undefined;

  /** `name` becomes a directory in the hierarchy, removed by `remove()`; without one there are no groups. */
  constructor(name: string | undefined) {
    this.#hierarchy = name === undefined ? undefined : findHierarchy(name);
  }

  /** Whether a memory limit will be enforced. */
  get available(): boolean {
    return this.#hierarchy !== undefined;
  }

  get directories(): string[] {
    return [...(this.#hierarchy?.bases.values() ?? [])];
  }

  create(name: string, limits: Limits): ControlGroup | undefined {
    if (!this.#hierarchy) return undefined;
    const { version, bases } = this.#hierarchy;
    const made = new Map([...bases].map(([controller, base]) => [controller, join(base, name)]));
    try {
      for (const directory of made.values()) mkdirSync(directory, { recursive: true });
      if (version === 2) limitV2(made.get('')!, limits);
      else limitV1(made, limits);
    } catch {
      for (const directory of made.values()) removeGroup(directory);
      return undefined;
    }
    const events =
      version === 2 ? join(made.get('')!, 'memory.events') : join(made.get('memory')!, 'memory.oom_control');
    return {
      procs: [...made.values()].map((directory) => join(directory, 'cgroup.procs')),
      views: [...made].map(([controller, source]) => ({ source, target: join('sys/fs/cgroup', controller) })),
      oomKills: () => Number(/oom_kill (\d+)/.exec(read(events))?.[1] ?? 0),
      remove: () => {
        for (const directory of made.values()) removeGroup(directory);
      },
    };
  }

  remove(): void {
    for (const directory of this.directories) removeGroup(directory);
  }
}

function limitV1(made: ReadonlyMap<string, string>, { memoryBytes, cpus }: Limits): void {
  const memory = made.get('memory')!;
  if (memoryBytes !== undefined) writeFileSync(join(memory, 'memory.limit_in_bytes'), String(memoryBytes));
  const cpu = made.get('cpu');
  if (cpu && cpus !== undefined) {
    writeFileSync(join(cpu, 'cpu.cfs_period_us'), '100000');
    writeFileSync(join(cpu, 'cpu.cfs_quota_us'), String(Math.max(1000, Math.round(cpus * 100_000))));
  }
}

function limitV2(directory: string, { memoryBytes, cpus }: Limits): void {
  if (memoryBytes !== undefined) {
    writeFileSync(join(directory, 'memory.max'), String(memoryBytes));
    if (existsSync(join(directory, 'memory.swap.max'))) writeFileSync(join(directory, 'memory.swap.max'), '0');
  }
  if (cpus !== undefined) writeFileSync(join(directory, 'cpu.max'), `${Math.round(cpus * 100_000)} 100000`);
}

function findHierarchy(name: string): Hierarchy | undefined {
  const own = read('/proc/self/cgroup');
  const mounts = read('/proc/self/mountinfo').split('\n');
  const version1 = new Map<string, string>();
  for (const controller of ['memory', 'cpu']) {
    const base = firstWritable(
      mounts.filter((line) => new RegExp(` - cgroup \\S+ \\S*\\b${controller}\\b(,|$)`).test(line)),
      new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, 'm').exec(own)?.[1] ?? '/',
      name,
      () => true,
    );
    if (base) version1.set(controller, base);
  }
  if (version1.has('memory')) return { version: 1, bases: version1 };
  const base = firstWritable(
    mounts.filter((line) => / - cgroup2 /.test(line)),
    /^0::(.*)$/m.exec(own)?.[1] ?? '/',
    name,
    (directory) => read(join(directory, 'cgroup.controllers')).includes('memory'),
  );
  if (!base) return undefined;
  try {
    writeFileSync(join(base, 'cgroup.subtree_control'), '+memory +cpu');
    return { version: 2, bases: new Map([['', base]]) };
  } catch {
    removeGroup(base);
    return undefined;
  }
}

/** Makes the group below our own or, where that is not to be had, at the top of the hierarchy. */
function firstWritable(
  mounts: string[],
  own: string,
  name: string,
  usable: (directory: string) => boolean,
): string | undefined {
  for (const mount of mounts) {
    const at = mount.split(' ')[4]!;
    for (const parent of [join(at, own), at]) {
      const directory = join(parent, name);
      try {
        mkdirSync(directory);
        if (usable(directory)) return directory;
        rmdirSync(directory);
      } catch {
        // not ours to write: try the next
      }
    }
  }
  return undefined;
}

function removeGroup(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroup(join(directory, entry.name));
    rmdirSync(directory);
  } catch {
    // gone already, or a process in it is still dying: the cluster's reaper tries again
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
