import { readdirSync, readFileSync } from 'node:fs';

export interface Descriptors {
  /** Null where they may not be listed. */
  readonly open: number | null;
  /** The soft limit, at which `open` fails with EMFILE; null for none. */
  readonly limit: number | null;
  /** Whether not one more could be had when they were counted. */
  readonly exhausted: boolean;
}

/** Last known limits: at the limit the file that tells it cannot be opened. */
const limits = new Map<string, number | null>();

/** Open descriptors of a process against its limit; null where there is no /proc. */
export function readDescriptors(procDir: string): Descriptors | null {
  try {
    const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync(`${procDir}/limits`, 'utf8')) ?? [];
    const limit = soft === undefined || soft === 'unlimited' ? null : Number(soft);
    if (procDir === '/proc/self') limits.set(procDir, limit);
    return { open: countOf(procDir), limit, exhausted: false };
  } catch (error) {
    if (!isExhausted(error) || procDir !== '/proc/self') return null;
    const limit = limits.get(procDir) ?? null;
    return { open: limit, limit, exhausted: true };
  }
}

function countOf(procDir: string): number | null {
  try {
    return readdirSync(`${procDir}/fd`).length;
  } catch (error) {
    if (isExhausted(error)) throw error;
    return null;
  }
}

function isExhausted(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EMFILE';
}
