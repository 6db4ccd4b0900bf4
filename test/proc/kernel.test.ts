import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseInspectSettings } from '../../src/inspect/inspector-port.ts';
import { readings } from '../../src/inspect/readings/readings.ts';
import { readCpuCgroup, readMemoryCgroup } from '../../src/proc/cgroup.ts';
import { parseStat } from '../../src/proc/identity.ts';
import { parseAddress } from '../../src/proc/sockets.ts';
import { countCpuList, readStatus } from '../../src/proc/status.ts';
import { syscallName } from '../../src/proc/syscalls.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nodeops-kernel-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A directory as /proc/PID looks, whose `root` holds the cgroup file system. */
async function procWith(name: string, files: Record<string, string>): Promise<string> {
  const proc = join(directory, name);
  await mkdir(join(proc, 'mnt'), { recursive: true });
  await symlink('mnt', join(proc, 'root'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(proc, path)), { recursive: true });
    await writeFile(join(proc, path), `${content}\n`);
  }
  return proc;
}

describe('cgroups', () => {
  test('v2: the smallest limit on the way up, with the usage of the cgroup that sets it', async () => {
    const proc = await procWith('v2', {
      cgroup: '0::/kubepods/pod1/container',
      mountinfo: '31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate',
      'mnt/sys/fs/cgroup/kubepods/pod1/container/memory.max': 'max',
      'mnt/sys/fs/cgroup/kubepods/pod1/container/memory.current': '1000',
      'mnt/sys/fs/cgroup/kubepods/pod1/container/cpu.max': '150000 100000',
      'mnt/sys/fs/cgroup/kubepods/pod1/memory.max': '5000',
      'mnt/sys/fs/cgroup/kubepods/pod1/memory.current': '3000',
      'mnt/sys/fs/cgroup/kubepods/pod1/memory.stat': 'anon 2000\ninactive_file 500',
      'mnt/sys/fs/cgroup/kubepods/pod1/memory.events': 'oom 5\noom_kill 4',
      'mnt/sys/fs/cgroup/kubepods/pod1/cpu.max': '50000 100000',
      'mnt/sys/fs/cgroup/kubepods/pod1/cpu.stat': 'usage_usec 5\nnr_throttled 2\nthrottled_usec 1500000',
      'mnt/sys/fs/cgroup/kubepods/memory.max': '9000',
      'mnt/sys/fs/cgroup/kubepods/memory.current': '8000',
    });
    expect(await readMemoryCgroup(proc)).toEqual({
      ...{ version: 2, limitBytes: 5000, usedBytes: 3000 },
      ...{ workingSetBytes: 2500, oomKills: 4 },
    });
    expect(await readCpuCgroup(proc)).toMatchObject({ quota: 0.5, throttledSeconds: 1.5 });
  });

  test('v2 in a cgroup namespace, seen from a neighbour: both paths start above the root', async () => {
    const proc = await procWith('neighbour', {
      cgroup: '0::/../cri-1.scope',
      mountinfo: '31 23 0:28 /../cri-1.scope /sys/fs/cgroup ro - cgroup2 cgroup rw',
      'mnt/sys/fs/cgroup/memory.max': '268435456',
      'mnt/sys/fs/cgroup/memory.current': '1048576',
      'mnt/sys/fs/cgroup/cpu.max': 'max 100000',
    });
    expect(await readMemoryCgroup(proc)).toEqual({
      version: 2,
      limitBytes: 268435456,
      usedBytes: 1048576,
      workingSetBytes: 1048576,
      oomKills: null,
    });
    expect(await readCpuCgroup(proc)).toBeNull();
  });

  test('v1: a huge limit and a negative quota are none', async () => {
    const proc = await procWith('v1', {
      cgroup: '5:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n0::/',
      mountinfo:
        '34 31 0:32 /docker/a /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n' +
        '35 31 0:35 /docker/a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      'mnt/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      'mnt/sys/fs/cgroup/memory/memory.usage_in_bytes': '4096',
      'mnt/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1',
      'mnt/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
    });
    expect(await readMemoryCgroup(proc)).toEqual({
      version: 1,
      limitBytes: null,
      usedBytes: 4096,
      workingSetBytes: 4096,
      oomKills: null,
    });
    expect(await readCpuCgroup(proc)).toBeNull();
  });

  test('no cgroup, no figures', async () => {
    expect(await readMemoryCgroup(join(directory, 'nothing'))).toBeNull();
    expect(await readCpuCgroup(join(directory, 'nothing'))).toBeNull();
  });
});

test('a command with spaces and parentheses does not shift the fields of stat', () => {
  const stat = `12 (a) R 1 (b)) S 1 12 12 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 11 0 4711 1000 200`;
  expect(parseStat(stat)).toMatchObject({ state: 'S', utime: 250, stime: 50, startTicks: 4711 });
});

test('our own status', async () => {
  const status = (await readStatus('/proc/self'))!;
  expect(status.ppid).toBe(process.ppid);
  expect(status.uid).toBe(process.getuid?.());
  expect(status.rssBytes / process.memoryUsage.rss()).toBeCloseTo(1, 0);
  expect(status.elapsedSeconds).toBeGreaterThan(0);
});

test('CPU lists', () => {
  expect(countCpuList('0-3,8')).toBe(5);
  expect(countCpuList('7')).toBe(1);
});

test('addresses of the socket tables', () => {
  expect(parseAddress('0100007F:2290')).toBe('127.0.0.1:8848');
  expect(parseAddress('00000000:0050')).toBe('0.0.0.0:80');
  expect(parseAddress('00000000000000000000000001000000:2290')).toBe('[::1]:8848');
  expect(parseAddress('B80D01200000000067452301EFCDAB89:01BB')).toBe('[2001:db8::123:4567:89ab:cdef]:443');
});

test('system calls of both architectures, and of neither', () => {
  expect(syscallName(0, 'x64')).toBe('read');
  expect(syscallName(63, 'arm64')).toBe('read');
  expect(syscallName(281, 'x64')).toBe('epoll_pwait');
  expect(syscallName(3, 'riscv64')).toBe('syscall 3');
});

test('how a process was told to open its inspector', () => {
  expect(parseInspectSettings([])).toEqual({ port: 9229, open: false, disabled: false });
  expect(parseInspectSettings(['--inspect-port=0'])).toEqual({ port: 0, open: false, disabled: false });
  expect(parseInspectSettings(['--inspect=0.0.0.0:9300'])).toEqual({ port: 9300, open: true, disabled: false });
  expect(parseInspectSettings(['--inspect-brk', '--disable-sigusr1'])).toEqual({
    port: 9229,
    open: true,
    disabled: true,
  });
});

test('without /proc a process is still described, with what is not known as null', async () => {
  const { data, notes } = await readings.process(
    {
      pid: 1,
      procDir: join(directory, 'none'),
      inspector: () => Promise.reject(),
      lastKnown: new Map(),
      ownThreadId: 1,
    },
    { duration: 0 },
  );
  expect(data).toMatchObject({ pid: 1, threads: null, cpuPercent: null, sockets: null });
  expect(data.rssBytes).toBeGreaterThan(1e6);
  expect(notes).toHaveLength(1);
});
