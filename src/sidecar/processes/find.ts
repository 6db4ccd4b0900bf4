/** The Node processes that /proc shows. Synchronous: a look at a container's few processes takes a millisecond or two. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { isShortLivedTool } from '../../agent/entry/bystander.ts';
import { ancestors } from '../../proc/ancestors.ts';
import { isNodeName, nameOf, scriptOf } from '../../proc/command-line.ts';
import { startedAt, startTicks } from '../../proc/identity.ts';
import { attachMarker } from '../../protocol/attach.ts';
import { limits, protocolVersion } from '../../protocol/limits.ts';
import type { ProcessInfo, VersionReply } from '../../protocol/replies.ts';
import { runtimeOf } from './node-version.ts';

/** A Node process as it is seen from outside. */
export interface Found {
  readonly info: ProcessInfo;
  readonly version: VersionReply;
  /** With its number, what tells it from any other. */
  readonly startTicks: number;
}

const agentVersion = process.env.NODEOPS_VERSION ?? '0.0.0';
/** The kernel's clock ticks in a second, fixed in its interface to user space. */
/** The sidecar, as the image has it. */
const ownProgram = /\/nodeops\/(?:sidecar|inject)\.cjs$/;

/**
 * Every Node process but this one, other payloads, and the tools that the agent stays out of too (npm, npx, …).
 * `own` names the container whose file system this process shares, `target` the one of all others; null where that is not known.
 */
export function findNodes(own: string | null, target: string | null): Found[] {
  const found: Found[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[1-9]\d*$/.test(name) || Number(name) === process.pid) continue;
    const one = look(Number(name), own, target);
    if (one) found.push(one);
    if (found.length >= limits.processes) break;
  }
  return found.sort((a, b) => a.info.pid - b.info.pid);
}

function look(pid: number, own: string | null, target: string | null): Found | undefined {
  const procDir = `/proc/${pid}`;
  const argv = (read(`${procDir}/cmdline`) ?? '').split('\0');
  if (argv.at(-1) === '') argv.pop();
  // a zombie has neither command line nor executable
  if (argv.length === 0 || argv.includes(attachMarker)) return undefined;
  const executable = link(`${procDir}/exe`);
  if (!isNode(procDir, executable, argv[0]!)) return undefined;
  const directory = `${procDir}/root`;
  const script = scriptOf(argv);
  if (script !== undefined && (ownProgram.test(script) || isShortLivedTool(inside(directory, script))))
    return undefined;
  const ticks = startTicks(pid);
  const status = read(`${procDir}/status`);
  if (ticks === undefined || status === undefined) return undefined;
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const runtime = runtimeOf(`${procDir}/exe`);
  const ppid = field('PPid');
  return {
    startTicks: ticks,
    info: {
      container: containerOf(procDir, own) ?? target,
      pid,
      ppid,
      name: nameOf(argv),
      command: argv.join(' ').slice(0, 4096),
      nodeVersion: runtime.node,
      agentVersion,
      startedAt: startedAt(ticks) ?? new Date().toISOString(),
      uid: field('Uid'),
      leader: false,
      port: 0,
      parents: ancestors(ppid),
    },
    version: {
      agentVersion,
      protocol: protocolVersion,
      nodeVersion: runtime.node,
      v8Version: runtime.v8,
      platform: process.platform,
      arch: process.arch,
      execPath: executable ?? argv[0]!,
    },
  };
}

/** By its executable; by its command line where that is another user's; by its libraries where Node is one of them. */
function isNode(procDir: string, executable: string | undefined, command: string): boolean {
  if (executable === undefined) return isNodeName(basename(command));
  return isNodeName(basename(executable)) || /\/libnode\.so(?:\.|\s|$)/m.test(read(`${procDir}/maps`) ?? '');
}

/** The agent in the process was told; else it is this container's if it has this container's file system. */
function containerOf(procDir: string, own: string | null): string | null {
  const told = /(?:^|\0)NODEOPS_CONTAINER=([a-z0-9][-a-z0-9.]*)/.exec(read(`${procDir}/environ`) ?? '')?.[1];
  if (told !== undefined) return told;
  return own !== null && link(`${procDir}/ns/mnt`) === link('/proc/self/ns/mnt') ? own : null;
}

/** A path of the process as it is found from here. */
function inside(root: string, path: string): string {
  return isAbsolute(path) ? join(root, path) : path;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
