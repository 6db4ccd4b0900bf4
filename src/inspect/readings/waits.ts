import { readChildren } from '../../proc/children.ts';
import { readLink } from '../../proc/files.ts';
import { plainAddress, readTable } from '../../proc/sockets.ts';
import type { Frame } from '../../protocol/replies.ts';
import type { CodePlace, Wait, WaitKinds, WaitsReply } from '../../protocol/waits.ts';
import { filePath } from '../../source-maps/frames.ts';
import { askMainThread } from '../ask.ts';
import type { Creation } from '../creations.ts';
import { referProbe } from '../evaluate.ts';
import { toFrame } from '../frames.ts';
import { type Place, readWithFunctions } from '../functions.ts';
import type { Inspector } from '../inspector.ts';
import { type ActiveFigures, type ActiveItem, activeProbe } from '../probes/active.ts';
import { SourceMaps } from '../source-maps.ts';
import type { Readings, Subject } from '../subject.ts';
import { attachWorkers, type WorkerLine } from '../workers.ts';
import { awaitsDebugger, debuggerType, debuggerWanted } from './pending.ts';
import { readTimers, type TimerFigures } from './timers.ts';
import { appSockets, readUnlisted } from './unlisted.ts';

/** Entries of a reply; timers have a share of their own. */
const waitsLimit = 1_000;
const timersLimit = 400;
const itemsLimit = waitsLimit - timersLimit;
const group = 'nodeops-waits';

interface Snapshot {
  readonly active: { readonly value: ActiveFigures; readonly places: readonly (Place | undefined)[] };
  readonly timers: { readonly timers: TimerFigures[]; readonly places: readonly (Place | undefined)[] };
  readonly workers: readonly WorkerLine[];
  readonly held: boolean;
}

/** `waits`: what the main thread's event loop waits for, one by one, whatever that thread does meanwhile. */
export const readWaits: Readings['waits'] = async (subject) => {
  const { value, stuck } = await askMainThread(subject, (inspector) => snapshot(subject, inspector));
  if (stuck) {
    const notes = [
      'only sockets, child processes and the work of the pool are shown, as the kernel has them: the main thread does not answer',
    ];
    return { data: await fromKernel(subject), stuck, notes };
  }
  const data = await describe(subject, value);
  const all = Object.values(data.counts).reduce((sum, count) => sum + count, 0);
  const notes = data.waits.length >= waitsLimit ? [`${data.waits.length} of ${all} are shown, all are counted`] : [];
  return { data, stuck: null, notes };
};

async function snapshot(subject: Subject, inspector: Inspector): Promise<Snapshot> {
  try {
    const active = await readWithFunctions<ActiveFigures>(
      subject,
      inspector,
      await referProbe(inspector, activeProbe, { limit: itemsLimit }, group),
    );
    const timers = active.value.resources?.includes('Timeout')
      ? await readTimers(subject, inspector, { limit: timersLimit, places: true })
      : { timers: [], places: [] };
    const held = active.value.resources?.length === 0 && (await awaitsDebugger(inspector));
    return { active, timers, workers: await attachWorkers(inspector, subject.ownThreadId), held };
  } finally {
    inspector.post('Runtime.releaseObjectGroup', { objectGroup: group }).catch(() => {});
  }
}

async function describe(subject: Subject, { active, timers, workers, held }: Snapshot): Promise<WaitsReply> {
  const { resources, items, tracking, exiting } = active.value;
  const counts: Record<string, number> = {};
  for (const type of resources ?? []) counts[type] = (counts[type] ?? 0) + 1;
  const maps = new SourceMaps(process.platform === 'linux' ? `${subject.procDir}/root` : '');
  const states = await socketStates(subject);
  const ages = new Map(
    (readChildren(subject.procDir) ?? []).map(({ pid, ageSeconds }) => [pid, Math.round(ageSeconds * 1000)]),
  );
  const place = async (at: Place | undefined): Promise<CodePlace | null> =>
    at ? maps.original(toFrame(at.frame), at.sourceMapUrl) : null;
  const common = async (type: string, created: Creation | null) => ({
    type,
    ageMs: created && Math.round(created.ageMs),
    created: created && (await Promise.all(created.frames.map((frame) => maps.original(asFrame(frame))))),
  });
  const waits: Wait[] = [];
  for (const item of items) {
    const callback = await place(active.places[item.callback]);
    const kind = await detailsOf(subject, item, states, callback);
    const wait = { ...(await common(item.type, item.created)), ...kind } as Wait;
    if (wait.kind === 'process') wait.ageMs ??= ages.get(wait.pid) ?? null;
    waits.push(wait);
  }
  for (const { created, callback, repeats, periodMs, remainingMs } of timers.timers)
    waits.push({
      ...(await common('Timeout', created)),
      kind: 'timer',
      repeats,
      periodMs,
      remainingMs,
      callback: await place(timers.places[callback]),
    });
  for (const { threadId, name } of workers)
    waits.push({ kind: 'worker', type: 'Worker', ageMs: null, created: null, threadId, name });
  if (held) {
    counts[debuggerType] = 1;
    waits.push({ ...(await common(debuggerType, null)), kind: 'other', name: debuggerWanted, callback: null });
  }
  const unlisted = items.length < itemsLimit ? await readUnlisted(subject, items) : [];
  for (const wait of unlisted) {
    // nothing waits for a connection that is kept alive
    if (wait.kind !== 'socket') counts[wait.type] = (counts[wait.type] ?? 0) + 1;
    waits.push(wait);
  }
  return { counts, waits, tracking, exiting };
}

type Details = { [K in keyof WaitKinds]: { kind: K } & WaitKinds[K] }[keyof WaitKinds];

async function detailsOf(
  { procDir }: Subject,
  item: ActiveItem,
  states: ReadonlyMap<string, SocketState>,
  callback: CodePlace | null,
): Promise<Details> {
  const { id, name } = item;
  const local = plainAddress(item.local);
  switch (item.kind) {
    case 'server':
      return {
        kind: 'server',
        address: local,
        connections: item.connections,
        ...backlog(states.get(`${local} null`)?.queued),
      };
    case 'socket': {
      const remote = plainAddress(item.remote);
      const { tls, bytesRead, bytesWritten, http, connecting } = item;
      const state = states.get(`${local} ${remote}`)?.state ?? (connecting ? 'connecting' : null);
      return { kind: 'socket', local, remote, state, tls, bytesRead, bytesWritten, http };
    }
    case 'udp':
      return { kind: 'udp', address: local };
    case 'terminal':
      return { kind: 'terminal', fd: id };
    case 'process':
      return { kind: 'process', pid: id ?? 0, command: name ?? '' };
    case 'worker':
      return { kind: 'worker', threadId: id ?? 0, name };
    case 'port':
      return { kind: 'port' };
    case 'fs':
      return { kind: 'fs', fd: id, path: id === null ? null : await readLink(`${procDir}/fd/${id}`), callback };
    case 'dns':
      return { kind: 'dns', hostname: name, callback };
    case 'other':
      return { kind: 'other', name: name ?? local, callback };
  }
}

type SocketState = { readonly state: string; readonly queued: number | undefined };

/** By local and remote address, what the kernel says of TCP sockets. */
async function socketStates({ procDir }: Subject): Promise<Map<string, SocketState>> {
  const tables = await Promise.all([readTable(procDir, 'tcp'), readTable(procDir, 'tcp6')]);
  return new Map(
    tables
      .flat()
      .map(({ local, remote, state, queued }) => [`${plainAddress(local)} ${plainAddress(remote)}`, { state, queued }]),
  );
}

function asFrame({ file, ...frame }: Creation['frames'][number]): Frame {
  return { ...frame, file: filePath(file) };
}

async function fromKernel(subject: Subject): Promise<WaitsReply> {
  const sockets = await appSockets(subject);
  const unknown = { ageMs: null, created: null };
  const found = sockets.slice(0, waitsLimit).map(({ protocol, local, remote, state, queued }): Wait => {
    const address = plainAddress(local);
    if (protocol.startsWith('udp')) return { kind: 'udp', type: 'UDPWrap', ...unknown, address };
    if (state === 'LISTEN')
      return { kind: 'server', type: 'TCPServerWrap', ...unknown, address, connections: null, ...backlog(queued) };
    const rest = { tls: false, bytesRead: null, bytesWritten: null, http: null };
    const ends = { local: address, remote: plainAddress(remote) };
    return { kind: 'socket', type: 'TCPSocketWrap', ...unknown, ...ends, state, ...rest };
  });
  const waits = [...found, ...(await readUnlisted(subject, undefined))];
  const counts: Record<string, number> = {};
  for (const { type } of waits) counts[type] = (counts[type] ?? 0) + 1;
  return { counts, waits, tracking: null };
}

/** Connections that wait to be accepted. */
function backlog(queued: number | undefined): { queued?: number } {
  return queued ? { queued } : {};
}
