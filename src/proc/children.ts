/** Child processes of any kind, whoever started them: `spawn`, `execSync`, an addon's fork. */
import { readNames, readText } from './files.ts';
import { readStat, ticksPerSecond } from './identity.ts';

export interface KernelChild {
  readonly pid: number;
  /** argv joined by spaces, cut; its name in brackets where there is none. */
  readonly command: string;
  readonly ageSeconds: number;
  /** Kernel's state letter: Z has ended and was not waited for. */
  readonly state: string;
}

const commandLength = 400;
const childrenKept = 200;

/** Null where it cannot be seen; oldest first. */
export function readChildren(procDir: string): KernelChild[] | null {
  const tasks = readNames(`${procDir}/task`);
  const uptime = Number.parseFloat(readText('/proc/uptime') ?? '');
  if (!tasks || !Number.isFinite(uptime)) return null;
  const lists = tasks.map((tid) => readText(`${procDir}/task/${tid}/children`));
  const pids = lists.some((list) => list !== null)
    ? lists.flatMap((list) => (list ?? '').trim().split(' ').filter(Boolean))
    : childrenByParent(procDir);
  return pids
    .slice(0, childrenKept)
    .flatMap((pid) => describe(Number(pid), uptime) ?? [])
    .sort((a, b) => b.ageSeconds - a.ageSeconds);
}

/** Where the kernel keeps no list of children (CONFIG_PROC_CHILDREN). */
function childrenByParent(procDir: string): string[] {
  const parent = /^Pid:\s*(\d+)/m.exec(readText(`${procDir}/status`) ?? '')?.[1];
  return (readNames('/proc') ?? []).filter(
    (name) => /^\d+$/.test(name) && parent !== undefined && readStat(`/proc/${name}`)?.ppid === Number(parent),
  );
}

function describe(pid: number, uptime: number): KernelChild | undefined {
  const stat = readStat(`/proc/${pid}`);
  if (!stat) return undefined;
  const argv = readText(`/proc/${pid}/cmdline`)?.split('\0').join(' ').trim();
  const command = argv || `[${readText(`/proc/${pid}/comm`)?.trim() ?? ''}]`;
  return {
    pid,
    command: command.slice(0, commandLength),
    ageSeconds: Math.max(0, uptime - stat.startTicks / ticksPerSecond),
    state: stat.state,
  };
}
