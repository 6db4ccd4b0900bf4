/** Who this process is, as it tells other agents. */
import { basename } from 'node:path';
import { ownHeapLimit } from '../../inspect/heap-limit.ts';
import { ancestors } from '../../proc/ancestors.ts';
import { mountNamespace, pidNamespace } from '../../proc/identity.ts';
import { protocolVersion } from '../../protocol/limits.ts';
import type { ProcessInfo, VersionReply } from '../../protocol/replies.ts';
import type { Settings } from '../settings/agent-settings.ts';
import type { Kinship } from './introduction.ts';

export interface Identity {
  readonly info: ProcessInfo;
  readonly version: VersionReply;
  readonly kin: Kinship;
  /** What the old generation of the main thread's heap may grow to. */
  readonly heapLimitBytes: number;
}

const agentVersion = process.env.NODEOPS_VERSION ?? '0.0.0';

/** `port` and `leader` of the info are set by whoever listens. */
export function identify(settings: Settings): Identity {
  const uid = process.getuid?.() ?? null;
  const [, script] = process.argv;
  return {
    info: {
      container: settings.container,
      pid: process.pid,
      ppid: process.ppid,
      name: (script === undefined ? 'node' : basename(script)).slice(0, 256),
      command: process.argv.join(' ').slice(0, 4096),
      nodeVersion: process.version,
      agentVersion,
      startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      uid,
      leader: false,
      port: 0,
      parents: ancestors(process.ppid),
    },
    version: {
      agentVersion,
      protocol: protocolVersion,
      nodeVersion: process.version,
      v8Version: process.versions.v8,
      platform: process.platform,
      arch: process.arch,
      execPath: process.execPath,
    },
    kin: { container: pidNamespace(), files: mountNamespace(), uid, readOnly: settings.readOnly },
    heapLimitBytes: ownHeapLimit(),
  };
}
