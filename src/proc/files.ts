/**
 * Files of /proc and /sys, read at once. Never through `fs/promises`: that is libuv's pool, which is the app's where this code is a
 * guest, and may be full. The kernel makes these files up as they are read, so nothing here waits for a disk.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The text, or null where the kernel does not say: another system, no permission, the process ended. */
export function readText(path: string): string | null {
  return attempt(() => readFileSync(path, 'utf8'));
}

export function readLinkNow(path: string): string | null {
  return attempt(() => readlinkSync(path));
}

export function readNames(path: string): string[] | null {
  return attempt(() => readdirSync(path));
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

/** As `readText`, for those that wait anyway. */
export async function readKernel(path: string): Promise<string | null> {
  return readText(path);
}

export async function readLink(path: string): Promise<string | null> {
  return readLinkNow(path);
}
