import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { kill } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { readKernel, readLink } from '../proc/files.ts';
import { readStatus } from '../proc/status.ts';
import { NodeopsError } from '../protocol/errors.ts';
import { type ErrorCounter, holdErrorCounter } from './error-counter.ts';
import { evaluateProbe, type LoadModule } from './evaluate.ts';
import type { Inspector } from './inspector.ts';
import {
  type Address,
  type InspectSettings,
  isInspector,
  listeners,
  listeningOn,
  readInspectSettings,
} from './inspector-port.ts';
import { openRemote } from './remote.ts';

export interface ActivateOptions {
  /** How long the process may take to open its inspector. Default: 1,200 ms, less than a read may take. */
  readonly timeoutMs?: number | undefined;
}

const sigusr1 = 1n << 9n;
/** How often it is looked whether the port is there by now. */
const pollMs = 10;
/** An inspector that opens at all is open by then, unless the machine is very busy. */
const settledMs = 400;

/**
 * Opens a line to a Node process from outside, whether its loop is blocked or not: by the inspector it has open, else by
 * SIGUSR1. Closing the line also closes an inspector that was opened for it, and never one that was there before. Errors are
 * counted there for as long as the line is open.
 * Throws `no-such-process`, `not-permitted` (another user's), `refused` (no Node, SIGUSR1 disabled or not handled, its
 * inspector port taken), `unsupported` (no /proc), `stuck` (it does not open it: its main thread is in native code).
 */
export async function activate(pid: number, { timeoutMs = 1_200 }: ActivateOptions = {}): Promise<Inspector> {
  const procDir = `/proc/${pid}`;
  await checkTarget(pid, procDir);
  const settings = await readInspectSettings(procDir);
  const before = await ownPorts(pid, procDir);
  const open = await findOpen(before, settings);
  if (open) return counting(await openRemote(open), false);

  await checkSignal(pid, procDir, settings);
  signal(pid);
  const { address, ours } = await waitForPort(pid, procDir, before, timeoutMs);
  const inspector = await openRemote(address);
  return counting(inspector, ours);
}

async function checkTarget(pid: number, procDir: string): Promise<void> {
  if (process.platform !== 'linux')
    throw new NodeopsError('unsupported', `process ${pid} cannot be attached to here: that takes Linux's /proc`);
  try {
    kill(pid, 0);
  } catch (error) {
    throw explainKill(pid, error);
  }
  const [executable, cmdline] = await Promise.all([readLink(`${procDir}/exe`), readKernel(`${procDir}/cmdline`)]);
  const name = basename((executable ?? cmdline?.split('\0')[0] ?? '').replace(/ \(deleted\)$/, ''));
  if (!name) throw new NodeopsError('no-such-process', `process ${pid} has ended, or is not seen from this container`);
  if (!/^(node|nodejs)([-\d.]|$)/.test(name))
    throw new NodeopsError('refused', `process ${pid} is ${name}, not Node.js; SIGUSR1 could end it`);
  const [theirs, ours] = await Promise.all([readLink(`${procDir}/ns/net`), readLink('/proc/self/ns/net')]);
  if (theirs !== null && theirs !== ours)
    throw new NodeopsError(
      'unreachable',
      `process ${pid} is in another network namespace, where its inspector cannot be reached`,
    );
}

async function ownPorts(pid: number, procDir: string): Promise<Address[]> {
  const ports = await listeningOn(procDir);
  if (ports) return ports;
  throw notPermitted(pid, (await readStatus(procDir))?.uid);
}

/** Only where an inspector is likely: an app's own server would log the request. */
async function findOpen(ports: Address[], { port, open }: InspectSettings): Promise<Address | undefined> {
  for (const address of ports) {
    const likely = address.port === port || address.port === 9229 || (open && port === 0);
    if (likely && (await isInspector(address))) return address;
  }
  return undefined;
}

async function checkSignal(pid: number, procDir: string, settings: InspectSettings): Promise<void> {
  const status = await readStatus(procDir);
  if (!status) throw new NodeopsError('no-such-process', `process ${pid} has ended`);
  // without a handler the signal would end the process
  if (settings.disabled || (status.caughtSignals & sigusr1) === 0n)
    throw new NodeopsError('refused', `process ${pid} does not handle SIGUSR1, so its inspector cannot be opened`, {
      hint: 'start it without --disable-sigusr1; under --permission it takes --allow-inspector and the agent: --require nodeops/preload',
    });
  const taken = settings.port !== 0 && (await listeners(procDir)).some(({ port }) => port === settings.port);
  if (taken)
    throw new NodeopsError(
      'refused',
      `port ${settings.port}, on which process ${pid} would open its inspector, is taken by another process`,
      { hint: 'start Node with NODE_OPTIONS=--inspect-port=0, so that each process takes a port of its own' },
    );
}

function signal(pid: number): void {
  try {
    kill(pid, 'SIGUSR1');
  } catch (error) {
    throw explainKill(pid, error);
  }
}

/** Looks for a new port first. Without one, the signal changed nothing: an inspector was open on a port nobody could guess. */
async function waitForPort(
  pid: number,
  procDir: string,
  before: Address[],
  timeoutMs: number,
): Promise<{ address: Address; ours: boolean }> {
  const known = new Set(before.map(({ port }) => port));
  const startedAt = performance.now();
  let triedKnown = false;
  for (let waited = 0; waited < timeoutMs; waited = performance.now() - startedAt) {
    const ports = await listeningOn(procDir);
    if (!ports) throw new NodeopsError('no-such-process', `process ${pid} ended`);
    for (const address of ports)
      if (!known.has(address.port) && (await isInspector(address))) return { address, ours: true };
    if (waited > settledMs && !triedKnown) {
      triedKnown = true;
      for (const address of before) if (await isInspector(address)) return { address, ours: false };
    }
    await sleep(pollMs);
  }
  throw new NodeopsError('stuck', `process ${pid} did not open its inspector within ${timeoutMs} ms of SIGUSR1`, {
    hint: 'its main thread is in native code, or the app handles SIGUSR1 itself',
  });
}

/** Counts errors in the target from now on; whoever leaves last leaves neither the counter nor an inspector of ours behind. */
function counting(inspector: Inspector, ours: boolean): Inspector {
  const holder = randomUUID();
  let closing: Promise<void> | undefined;
  // not waited for: the main thread may be in native code
  evaluateProbe(inspector, holdErrorCounter, holder).catch(() => {});
  return {
    ...inspector,
    close() {
      // the answer may be lost with the connection that it closes
      closing ??= evaluateProbe(inspector, leave, { holder, ours })
        .catch(() => {})
        .then(() => inspector.close());
      return closing;
    },
  };
}

/** Runs in the target, when its main thread next can: also after we have gone. An inspector that others look through stays for them. */
function leave({ holder, ours }: { holder: string; ours: boolean }, load: LoadModule): boolean {
  const places = load('process') as Record<symbol, ErrorCounter | undefined>;
  const counter = places[Symbol.for('nodeops.errors')];
  if (counter) counter.opened ||= ours;
  counter?.release(holder);
  const opened = counter ? counter.opened : ours;
  // the agent in the process needs none
  const others = [...(counter?.holders ?? [])].filter((name) => name !== 'agent');
  if (!opened || others.length > 0) return false;
  if (counter) counter.opened = false;
  (load('inspector') as { close(): void }).close();
  return true;
}

function explainKill(pid: number, error: unknown): NodeopsError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EPERM') return notPermitted(pid, undefined, error);
  return new NodeopsError('no-such-process', `no process ${pid} is seen from here`, { cause: error });
}

function notPermitted(pid: number, owner: number | undefined, cause?: unknown): NodeopsError {
  const whose = owner === undefined ? 'another user' : `user ${owner}`;
  return new NodeopsError(
    'not-permitted',
    `process ${pid} belongs to ${whose}, and we are user ${process.getuid?.()}`,
    {
      cause,
      hint: 'run as the same user (in a pod: the same runAsUser), with the same or more capabilities',
    },
  );
}
