/** The kernel's pressure stall information: for how much of the last ten seconds something waited for a resource. */
import type { Pressure } from '../protocol/replies.ts';
import { findCgroup } from './cgroup.ts';
import { readText } from './files.ts';

/** Of the container where its cgroup tells (version 2), else of the machine; null where the kernel counts none. */
export async function readPressure(procDir: string): Promise<Pressure | null> {
  const cgroup = await findCgroup(procDir, 'memory');
  const [own] = cgroup?.version === 2 ? cgroup.directories : [];
  const of = own !== undefined && readText(`${own}/cpu.pressure`) !== null ? 'container' : 'machine';
  const some = (resource: string) =>
    percentOf(readText(of === 'container' ? `${own}/${resource}.pressure` : `/proc/pressure/${resource}`));
  const pressure = { of, cpu: some('cpu'), memory: some('memory'), io: some('io') } as const;
  return pressure.cpu === null && pressure.memory === null && pressure.io === null ? null : pressure;
}

function percentOf(text: string | null): number | null {
  const [, average] = /^some avg10=([\d.]+)/m.exec(text ?? '') ?? [];
  return average === undefined ? null : Number(average);
}
