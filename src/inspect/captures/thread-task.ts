import { readdirSync } from 'node:fs';
import { readKernel, readLink } from '../../proc/files.ts';
import { evaluateProbe, type LoadModule } from '../evaluate.ts';
import type { Inspector } from '../inspector.ts';
import type { Subject } from '../subject.ts';

/** The kernel's directory of the main thread, or null where there is none to be read. */
export async function mainTask({ procDir }: Pick<Subject, 'procDir'>): Promise<string | null> {
  const id = procDir === '/proc/self' ? await readLink('/proc/self') : procDir.slice('/proc/'.length);
  return id === null ? null : `${procDir}/task/${id}`;
}

/** The same of a worker thread, which says itself who it is; from another pid namespace it is found by the number it has there. */
export async function workerTask(
  { procDir }: Pick<Subject, 'procDir'>,
  worker: Pick<Inspector, 'post'>,
): Promise<string | null> {
  const id = await evaluateProbe(worker as Inspector, threadProbe, {}).catch(() => null);
  if (id === null) return null;
  if (procDir === '/proc/self') return `${procDir}/task/${id}`;
  for (const task of tasksOf(procDir)) {
    const status = await readKernel(`${procDir}/task/${task}/status`);
    const inside = /^NSpid:.*?(\d+)$/m.exec(status ?? '')?.[1] ?? task;
    if (inside === id) return `${procDir}/task/${task}`;
  }
  return null;
}

function tasksOf(procDir: string): string[] {
  try {
    return readdirSync(`${procDir}/task`);
  } catch {
    return [];
  }
}

function threadProbe(_: object, load: LoadModule): string | null {
  const fs = load('fs') as typeof import('node:fs');
  try {
    return fs.readlinkSync('/proc/thread-self').split('/').pop() ?? null;
  } catch {
    return null;
  }
}
