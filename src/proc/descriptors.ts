import { readNames, readText } from './files.ts';

export interface Descriptors {
  /** Null where they may not be listed. */
  readonly open: number | null;
  /** The soft limit, at which `open` fails with EMFILE; null for none. */
  readonly limit: number | null;
}

/** Open descriptors of a process against its limit; null where there is no /proc. */
export function readDescriptors(procDir: string): Descriptors | null {
  const limits = readText(`${procDir}/limits`);
  if (limits === null) return null;
  const [, soft] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  const open = readNames(`${procDir}/fd`);
  return { open: open?.length ?? null, limit: soft === undefined || soft === 'unlimited' ? null : Number(soft) };
}
