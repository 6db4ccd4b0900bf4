import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { program } from './host.ts';

export interface Mount {
  readonly source: string;
  readonly target: string;
  /** A file system type, `none` for a bind mount. */
  readonly type?: string;
  readonly options: string;
}

/** An fstab: `mount --all` then makes any number of mounts in one process. */
export function fstab(mounts: readonly Mount[]): string {
  const quote = (text: string) => text.replace(/[\s\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
  return mounts
    .map(({ source, target, type = 'none', options }) => `${quote(source)} ${quote(target)} ${type} ${options} 0 0\n`)
    .join('');
}

/** Mounts in this process' own mount namespace. */
export function mountAll(mounts: readonly Mount[], file: string): void {
  if (mounts.length === 0) return;
  writeFileSync(file, fstab(mounts));
  execFileSync(program('mount'), ['--all', '--fstab', file], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Makes the empty file or directory that a bind mount needs to be mounted on. */
export function placeholder(path: string, directory: boolean): void {
  if (existsSync(path)) return;
  mkdirSync(directory ? path : dirname(path), { recursive: true });
  if (!directory) writeFileSync(path, '');
}
