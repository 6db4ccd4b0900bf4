/** One run of a container: a process with its own pid, mount and cgroup view, in its pod's network. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ControlGroup } from './cgroup.ts';
import { program } from './host.ts';
import { ContainerLog } from './logs.ts';
import { fstab, type Mount } from './mounts.ts';
import { childrenOf, descendantsOf, signal } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

export interface ContainerSpec {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly uid: number;
  readonly gid: number;
  readonly noNewPrivileges: boolean;
  readonly readOnlyRoot: boolean;
  /** The root directory, with a place for each mount. */
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** Joins the pid namespace of this process instead of having its own. */
  readonly joinPids: number | undefined;
  readonly group: ControlGroup | undefined;
  /** The image's Node binary on this machine. */
  readonly node: string;
}

export interface Exit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/** containerd's default capabilities: what root in a container may do. */
const capabilities =
  'chown,dac_override,fsetid,fowner,mknod,net_raw,setgid,setuid,setfcap,setpcap,net_bind_service,sys_chroot,kill,audit_write';
const boundingSet = `-all,+${capabilities.replaceAll(',', ',+')}`;

/** False in a user namespace that maps one user: everything then runs as that user. */
const manyUsers = process.env.NODEOPS_CLUSTER_ONE_USER !== '1';

/** One run of a container, with or without namespaces around it. */
export interface Run {
  readonly log: ContainerLog;
  readonly startedAt: Date;
  readonly spec: ContainerSpec;
  /** As this process sees it. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Runs a command beside the container's own, with its environment, user and directory. The caller wires stdio. */
  exec(argv: readonly string[], tty: boolean): ChildProcess;
  /** Whether a command exists in the container. */
  has(command: string): boolean;
  signal(name: NodeJS.Signals): void;
  /** Every process of the container, also those that its own started. */
  signalAll(name: NodeJS.Signals): void;
}

export class Container implements Run {
  readonly log = new ContainerLog();
  readonly startedAt = new Date();
  readonly spec: ContainerSpec;
  /** As this process sees it. */
  readonly pid: number;
  readonly exited: Promise<Exit>;

  private constructor(spec: ContainerSpec, child: ChildProcess, pid: number, ended: Promise<Exit>) {
    this.spec = spec;
    this.pid = pid;
    this.log.attach(child.stdout!);
    this.log.attach(child.stderr!);
    this.exited = ended.finally(() => this.log.end());
  }

  static async start(spec: ContainerSpec, sandbox: Sandbox, scratch: string): Promise<Container> {
    const table = join(scratch, 'fstab');
    writeFileSync(table, fstab(spec.mounts));
    const joining = spec.joinPids !== undefined || sandbox.sharesPids;
    const pids = spec.joinPids !== undefined && !sandbox.sharesPids ? [`--pid=/proc/${spec.joinPids}/ns/pid`] : [];
    const script = [
      ...(spec.group?.procs ?? []).map((file) => `echo 0 > ${file}`),
      `exec ${program('nsenter')} ${[...sandbox.enter, ...pids].join(' ')} -- ${program('unshare')} --mount --cgroup \
${joining ? '' : '--pid'} /bin/sh -c '${joining ? innerScript(spec) : parentScript}' sh "$@"`,
    ].join('\n');
    const inner = joining ? [] : [innerScript(spec)];
    const child = spawn('/bin/sh', ['-c', script, 'sh', ...inner, table, spec.root, ...launch(spec)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const exit = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    const ready = await Promise.race([
      once(child.stdio[3] as Readable, 'data').then(() => true),
      exit.then(() => false),
    ]);
    if (!ready) {
      spec.group?.remove();
      throw new Error(`the container's file system could not be made: ${child.stderr!.read() ?? ''}`);
    }
    const ended = exit.then(([code, name]) => {
      const oomKilled = (spec.group?.oomKills() ?? 0) > 0;
      spec.group?.remove();
      return { exitCode: exitCodeOf(code, name), oomKilled };
    });
    return new Container(spec, child, childrenOf(child.pid!)[0] ?? child.pid!, ended);
  }

  exec(argv: readonly string[], tty: boolean): ChildProcess {
    const user = manyUsers ? ['-S', String(this.spec.uid), '-G', String(this.spec.gid)] : [];
    const at = `/proc/${this.pid}`;
    const enter = [
      program('nsenter'),
      ...['--target', String(this.pid), '--mount', '--net', '--uts', '--ipc', '--pid', '--cgroup', '--root'],
      `--wd=${at}/root${this.spec.workingDirectory}`,
      ...user,
      '--',
      ...argv,
    ];
    const join = (this.spec.group?.procs ?? []).map((file) => `echo 0 > ${file};`).join(' ');
    const run = tty ? [program('script'), '-qefc', `exec ${enter.map(quote).join(' ')}`, '/dev/null'] : enter;
    return spawn('/bin/sh', ['-c', `${join} unset PWD OLDPWD; exec "$@"`, 'sh', ...run], {
      env: tty ? { TERM: 'xterm', ...this.spec.environment, SHELL: '/bin/sh' } : { ...this.spec.environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  signal(name: NodeJS.Signals): void {
    signal(this.pid, name);
  }

  /** Looked up through the container's own root. */
  has(command: string): boolean {
    const { environment, workingDirectory } = this.spec;
    const root = `/proc/${this.pid}/root`;
    if (command.startsWith('/')) return existsSync(root + command);
    if (command.includes('/')) return existsSync(`${root}${workingDirectory}/${command}`);
    return (environment.PATH ?? '').split(':').some((directory) => existsSync(`${root}${directory}/${command}`));
  }

  signalAll(name: NodeJS.Signals): void {
    for (const pid of descendantsOf(this.pid)) signal(pid, name);
  }
}

/**
 * Its first child is the first process of the new pid namespace. `unshare --fork` would do the same, but before util-linux 2.39 it
 * reports a killed child as exit code 1.
 */
const parentScript = 'inner=$1; shift; /bin/sh -c "$inner" sh "$@"; exit $?';

function innerScript(spec: ContainerSpec): string {
  const readOnly = spec.readOnlyRoot ? `${program('mount')} -o remount,bind,ro "$2" && ` : '';
  return `${program('mount')} --all --fstab "$1" && ${readOnly}shift 2 && echo ready >&3 && exec "$@" 3>&-`;
}

function launch(spec: ContainerSpec): string[] {
  const environment = Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`);
  const privileges = ['--bounding-set', boundingSet, '--inh-caps', '-all'];
  if (spec.noNewPrivileges) privileges.push('--no-new-privs');
  const user = manyUsers ? ['-S', String(spec.uid), '-G', String(spec.gid)] : [];
  return [
    ...[program('env'), '-i', ...environment],
    ...[program('setpriv'), ...privileges, '--'],
    ...[program('unshare'), '--root', spec.root, '--wd', spec.workingDirectory, ...user, '--', ...spec.argv],
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The exit code as a shell tells it: 128 and the signal's number for a process that was killed. */
export function exitCodeOf(code: number | null, name: NodeJS.Signals | null): number {
  return code ?? 128 + constants.signals[name ?? 'SIGKILL'];
}
