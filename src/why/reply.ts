/** What `why -o json` tells of one process. */
import type { Finding } from './finding.ts';

export interface WhyReply {
  /** How long it was looked at. */
  lookMs: number;
  /** such as `v24.21.0` */
  nodeVersion: string;
  agentVersion: string;
  /** The level of the first finding; `unknown` where too little could be seen. */
  verdict: 'finding' | 'note' | 'healthy' | 'unknown';
  /** The first is the answer. */
  findings: readonly Finding[];
  /** What was looked for and not found, in words. */
  passed: readonly string[];
  /** What could not be looked for, and why. */
  skipped: readonly { readonly id: string; readonly reason: string }[];
}

/** Processes that have the same answer. */
export interface WhyGroup {
  /** Null where nothing is wrong with them. */
  finding: { id: string; place: string | null; sentence: string } | null;
  targets: readonly {
    namespace: string | null;
    pod: string | null;
    container: string | null;
    pid: number | null;
    address: string | null;
  }[];
}
