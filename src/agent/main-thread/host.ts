/** What the runtime can carry: a mode of Node in which our worker or the inspector would abort the app is known before either starts. */

import { isMainThread } from 'node:worker_threads';
import { builtin } from '../builtin.ts';
import { hadStreams, inSnapshot } from './loaded.ts';

const oldestNode = 20;

/** Whether this process cannot have an agent: a worker thread, an old Node, a build without inspector, permissions, a snapshot. */
export function cannotHost(): boolean {
  const major = Number(process.versions.node.split('.')[0]);
  const { inspector } = process.features as { inspector?: boolean };
  return !isMainThread || major < oldestNode || inspector === false || isForbidden(major) || isFromSnapshot();
}

interface Permission {
  has(scope: string, reference?: string): boolean;
}

/**
 * Under a permission model a worker without the inspector's permission aborts the process when it connects
 * (`parent_handle_ != nullptr`), and /proc may be refused. Node 20 and 22 know no permission for the inspector, 20 to 24 none
 * for the network. To be asked before each worker: permissions can be dropped while the process runs.
 */
function isForbidden(major: number): boolean {
  const { permission } = process as { permission?: Permission };
  if (!permission) return false;
  if (!permission.has('worker') || !permission.has('inspector')) return true;
  return (major >= 25 && !permission.has('net')) || !permission.has('fs.read', '/proc/self/stat');
}

/**
 * Workers of a process that was read from a startup snapshot begin with what is in the snapshot, and abort when they load `net`
 * (`shutdown_wrap_template_.IsEmpty()`). The flag is in the command line or in NODE_OPTIONS.
 */
function isFromSnapshot(): boolean {
  return inSnapshot || flags().some((flag) => flag === '--snapshot-blob');
}

/** The same where no flag says so: a single executable, or a file with Node's options. For a preload, that runs before the app does. */
export function mayBeFromSnapshot(): boolean {
  return hadStreams && (isSea() || flags().some((flag) => /^--experimental-(?:default-)?config-file$/.test(flag)));
}

function flags(): string[] {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/[\s"]+/)];
  return given.map((flag) => flag.replace(/=.*$/s, '').replaceAll('_', '-'));
}

function isSea(): boolean {
  try {
    return builtin<{ isSea(): boolean }>('node:sea').isSea();
  } catch {
    // a Node that cannot be made into one
    return false;
  }
}
