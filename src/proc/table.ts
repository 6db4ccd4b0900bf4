/** Every process of the machine: /proc on Linux, ps elsewhere. */
import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { parseStat } from './identity.ts';

export interface Entry {
  readonly pid: number;
  readonly ppid: number;
  /** As the kernel knows it. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Path of the executable; undefined where it may not be seen. */
  readonly executable: string | undefined;
  /** What the process resolves relative paths against, where it may be seen. */
  readonly directory: string | undefined;
  readonly uid: number | null;
}

/** Read at the same time: file descriptors are not endless. */
const batch = 64;

export async function readTable(): Promise<Map<number, Entry>> {
  if (process.platform !== 'linux') return readPs();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = new Map<number, Entry>();
  for (let at = 0; at < pids.length; at += batch)
    for (const entry of await Promise.all(pids.slice(at, at + batch).map(readEntry)))
      if (entry) entries.set(entry.pid, entry);
  return entries;
}

/** undefined when it has ended meanwhile. */
async function readEntry(pid: number): Promise<Entry | undefined> {
  const dir = `/proc/${pid}`;
  try {
    const [text, cmdline, executable, directory, { uid }] = await Promise.all([
      readFile(`${dir}/stat`, 'utf8'),
      readFile(`${dir}/cmdline`, 'utf8'),
      readlink(`${dir}/exe`).catch(() => undefined),
      readlink(`${dir}/cwd`).catch(() => undefined),
      stat(dir),
    ]);
    const { name, ppid } = parseStat(text);
    const argv = cmdline.replace(/\0$/, '').split('\0');
    const path = executable?.replace(/ \(deleted\)$/, '');
    return { pid, ppid, name, argv: cmdline === '' ? [] : argv, executable: path, directory, uid };
  } catch {
    return undefined;
  }
}

/** macOS and the BSDs: arguments come joined by spaces, and are parted there again. */
async function readPs(): Promise<Map<number, Entry>> {
  const ps = async (columns: string) => {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', columns], { maxBuffer: 64 * 1024 * 1024 });
    return stdout.split('\n');
  };
  const [paths, commands] = await Promise.all([ps('pid=,ppid=,uid=,comm='), ps('pid=,args=')]);
  const args = new Map(commands.map((line) => [Number.parseInt(line, 10), line.trim().replace(/^\d+\s+/, '')]));
  const entries = new Map<number, Entry>();
  for (const line of paths) {
    const [, pid, ppid, uid, path] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*\S)\s*$/.exec(line) ?? [];
    if (path === undefined) continue;
    const executable = path.startsWith('/') ? path : undefined;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const argv = (args.get(Number(pid)) ?? '').split(' ');
    entries.set(Number(pid), {
      pid: Number(pid),
      ppid: Number(ppid),
      uid: Number(uid),
      ...{ name, argv, executable, directory: undefined },
    });
  }
  return entries;
}
