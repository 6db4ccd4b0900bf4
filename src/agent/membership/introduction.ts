/** Who a process is, as it tells other agents that have proved themselves; and the check of what others tell. */

import { ancestorsLimit } from '../../proc/ancestors.ts';
import type { Ancestor, ProcessInfo, VersionReply } from '../../protocol/replies.ts';

/** What says that two agents may act for each other: same processes and files visible, same user, same rules. */
export interface Kinship {
  /** The pid namespace, as the kernel names it; the platform where there are none. */
  readonly container: string;
  /** The mount namespace, likewise: containers that share their processes do not share files. */
  readonly files: string;
  readonly uid: number | null;
  readonly readOnly: boolean;
}

export interface Introduction {
  readonly info: ProcessInfo;
  readonly version: VersionReply;
  readonly kin: Kinship;
  /** See Identity; null where somebody else answers for it. */
  readonly heapLimitBytes: number | null;
  /** The known port of its pod: on a machine that is no pod there may be several. */
  readonly knownPort: number;
  /**
   * `standby`: answers when its main thread turns. `awake`: its worker answers. `watcher`: and looks after its container. `found`: a sidecar
   * answers for it. `sidecar`: no process to look at.
   */
  readonly role: 'standby' | 'awake' | 'watcher' | 'found' | 'sidecar';
}

type Fields = Record<string, unknown>;
const containerName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const roles: readonly unknown[] = ['standby', 'awake', 'watcher', 'found', 'sidecar'] satisfies Introduction['role'][];

export function isKin(one: Kinship, other: Kinship): boolean {
  return (
    one.container === other.container &&
    one.files === other.files &&
    one.uid === other.uid &&
    one.readOnly === other.readOnly
  );
}

/** The introduction a reply is, or undefined when it is none. */
export function parseIntroduction(value: unknown): Introduction | undefined {
  if (!isFields(value) || !roles.includes(value.role)) return undefined;
  const info = parseInfo(value.info);
  const version = parseVersion(value.version);
  const kin = parseKinship(value.kin);
  const { role, knownPort } = value;
  if (!info || !version || !kin || !isPort(knownPort)) return undefined;
  const heapLimitBytes = isWhole(value.heapLimitBytes) ? value.heapLimitBytes : null;
  return { info, version, kin, heapLimitBytes, knownPort, role: role as Introduction['role'] };
}

function parseKinship(value: unknown): Kinship | undefined {
  if (!isFields(value)) return undefined;
  const { container, files, uid, readOnly } = value;
  if (!isText(container, 64) || !isText(files, 64) || !(uid === null || isWhole(uid)) || typeof readOnly !== 'boolean')
    return undefined;
  return { container, files, uid, readOnly };
}

function parseInfo(value: unknown): ProcessInfo | undefined {
  if (!isFields(value)) return undefined;
  const { container, pid, ppid, name, command, nodeVersion, agentVersion, startedAt, uid, port } = value;
  if (!(container === null || (typeof container === 'string' && containerName.test(container)))) return undefined;
  if (!isWhole(pid) || pid < 1 || !isWhole(ppid) || !isPort(port) || !(uid === null || isWhole(uid))) return undefined;
  if (!isText(name, 256) || !isText(command, 4096) || !isText(nodeVersion, 64) || !isText(agentVersion, 64))
    return undefined;
  if (!isText(startedAt, 40) || Number.isNaN(Date.parse(startedAt))) return undefined;
  const parents = parseParents(value.parents);
  return {
    ...{ container, pid, ppid, name, command, nodeVersion, agentVersion, startedAt, uid, leader: false, port },
    ...(parents && { parents }),
  };
}

/** Left out when it is anything else: nothing but a drawing depends on it. */
function parseParents(value: unknown): Ancestor[] | undefined {
  if (!Array.isArray(value) || value.length > ancestorsLimit) return undefined;
  const parents = value.filter(isFields).flatMap(({ pid, ppid, name }) => {
    return isWhole(pid) && isWhole(ppid) && isText(name, 64) ? [{ pid, ppid, name }] : [];
  });
  return parents.length === value.length ? parents : undefined;
}

function parseVersion(value: unknown): VersionReply | undefined {
  if (!isFields(value)) return undefined;
  const { agentVersion, protocol, nodeVersion, v8Version, platform, arch, execPath } = value;
  if (!isText(agentVersion, 64) || !isWhole(protocol) || !isText(nodeVersion, 64) || !isText(v8Version, 64))
    return undefined;
  if (!isText(platform, 32) || !isText(arch, 32) || !isText(execPath, 4096)) return undefined;
  return { agentVersion, protocol, nodeVersion, v8Version, platform, arch, execPath };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength;
}
function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
/** 0 where the port is not known yet. */
function isPort(value: unknown): value is number {
  return isWhole(value) && value <= 65_535;
}
