/** `PID`: a process of this machine, whose agent's port is in the config dir, as with gops. */
import { readFile, readlink, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { NodeopsError } from '../../protocol/errors.ts';
import type { Target } from '../target.ts';
import { localAgentHint, tcpEndpoint } from './address.ts';

export interface PidSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default process.platform */
  readonly platform?: NodeJS.Platform;
}

/**
 * Where agents of this user leave their ports: the directory that was set, else gops' own (`ConfigDir`) and `~/.config/gops`,
 * which a process without this shell's XDG_CONFIG_HOME uses.
 */
export function configDirs({ env, platform = process.platform }: PidSurroundings): string[] {
  const given = env.NODEOPS_CONFIG_DIR || env.GOPS_CONFIG_DIR;
  if (given) return [given];
  const home = env.HOME || homedir();
  const dirs = [join(home, '.config', 'gops')];
  if (platform === 'win32') dirs.unshift(join(env.APPDATA || join(home, 'AppData', 'Roaming'), 'gops'));
  else if (platform === 'darwin') dirs.unshift(join(home, 'Library', 'Application Support', 'gops'));
  else if (env.XDG_CONFIG_HOME) dirs.unshift(join(env.XDG_CONFIG_HOME, 'gops'));
  return [...new Set(dirs)];
}

/** Throws `no-such-process`, or `no-agent` saying why there is none: another user's process, not Node, not loaded. */
export async function pidTarget(pid: number, surroundings: PidSurroundings): Promise<Target> {
  const files = configDirs(surroundings).map((dir) => join(dir, String(pid)));
  const [ports, alive] = await Promise.all([Promise.all(files.map(readPort)), isAlive(pid)]);
  const found = ports.findIndex((port) => port !== undefined);
  const port = ports[found];
  const file = files[Math.max(found, 0)]!;
  if (!alive)
    throw new NodeopsError(
      'no-such-process',
      `there is no process ${pid}${port === undefined ? '' : ` any more; it left ${file} behind`}`,
      {
        hint: 'pgrep -a node',
      },
    );
  if (port === undefined) throw await whyNoAgent(pid, files.join(' or '));
  const endpoint = tcpEndpoint(`process ${pid}`, '127.0.0.1', port);
  // the port may be that of a sibling's agent, which answers for this process too
  return { endpoint, process: String(pid) };
}

/** A process of this machine that is looked at and not asked. */
export function localTarget(pid: number): Target {
  const name = `process ${pid}`;
  const error = new NodeopsError('no-agent', `${name} is not asked`);
  return {
    endpoint: { name, noAgentHint: localAgentHint, connect: () => Promise.reject(error) },
    process: String(pid),
  };
}

async function readPort(file: string): Promise<number | undefined> {
  try {
    const port = Number((await readFile(file, 'utf8')).trim());
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new NodeopsError('local-file', `cannot read ${file}: ${(error as Error).message}`, {
      cause: error,
      hint: `ls -l ${file}`,
    });
  }
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function whyNoAgent(pid: number, file: string): Promise<NodeopsError> {
  const owner = await stat(`/proc/${pid}`).then(
    ({ uid }) => uid,
    () => undefined,
  );
  const me = process.getuid?.();
  if (owner !== undefined && me !== undefined && owner !== me) {
    const user = (await userName(owner)) ?? `#${owner}`;
    return new NodeopsError(
      'no-agent',
      `process ${pid} belongs to user '${user}', and no agent of it is known in ${file}`,
      {
        hint: `sudo -u '${user}' kubectl nodeops …, or set NODEOPS_CONFIG_DIR to that user's config directory`,
      },
    );
  }
  const program = await programOf(pid);
  if (program !== undefined && !/^node(?:js)?(?:[-.\d]|$)/.test(program))
    return new NodeopsError('no-agent', `process ${pid} is not a Node.js process: it runs ${program}`, {
      hint: 'pgrep -a node',
    });
  return new NodeopsError('no-agent', `process ${pid} has no agent: there is no ${file}`, {
    hint: `look in from outside: nodeops stats ${pid} --attach=exec; or ${localAgentHint}`,
  });
}

async function userName(uid: number): Promise<string | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return passwd
    .split('\n')
    .find((line) => line.split(':')[2] === String(uid))
    ?.split(':')[0];
}

async function programOf(pid: number): Promise<string | undefined> {
  const executable = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return executable === undefined ? undefined : basename(executable.replace(/ \(deleted\)$/, ''));
}
