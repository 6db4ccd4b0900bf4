/** Checks what came over a lease before anything is believed: whoever reaches the port may have written it. */

import { limits } from '../../protocol/limits.ts';
import type { Ancestor, ProcessInfo, VersionReply } from '../../protocol/replies.ts';
import { ancestorsLimit } from '../ancestors.ts';
import type { FromGuest, Hello, Kinship } from './messages.ts';

type Fields = Record<string, unknown>;
const containerName = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** The hello a message is, or undefined when it is none. */
export function parseHello(message: unknown): Hello | undefined {
  if (!isFields(message)) return undefined;
  if (message.t === 'awake')
    return isText(message.key, 64) && isPort(message.port)
      ? { t: 'awake', key: message.key, port: message.port }
      : undefined;
  const kin = parseKinship(message.kin);
  const info = parseInfo(message.info);
  if (!kin || !info) return undefined;
  if (message.t === 'peer') return { t: 'peer', kin, info };
  const version = parseVersion(message.version);
  if (message.t !== 'sleeper' || !version || typeof message.ownSigusr1 !== 'boolean') return undefined;
  return { t: 'sleeper', kin, info, version, ownSigusr1: message.ownSigusr1 };
}

/** The later message a message is, or undefined when it is none. */
export function parseFromGuest(message: unknown): FromGuest | undefined {
  if (!isFields(message)) return undefined;
  if (message.t === 'waking' || message.t === 'late' || message.t === 'short') return { t: message.t };
  if (message.t === 'sigusr1' && typeof message.own === 'boolean') return { t: 'sigusr1', own: message.own };
  if (message.t !== 'list' || !Array.isArray(message.processes) || message.processes.length > limits.processes)
    return undefined;
  const processes = message.processes.map(parseInfo);
  return processes.every((info) => info !== undefined) ? { t: 'list', processes } : undefined;
}

function parseKinship(value: unknown): Kinship | undefined {
  if (!isFields(value)) return undefined;
  const { container, uid, readOnly, token } = value;
  if (!isText(container, 64) || !(uid === null || isWhole(uid)) || typeof readOnly !== 'boolean') return undefined;
  if (!(token === null || isText(token, 64))) return undefined;
  return { container, uid, readOnly, token };
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
    ...{ container, pid, ppid, name, command, nodeVersion, agentVersion, startedAt, uid, door: false, port },
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
