import { readLink } from '../../proc/files.ts';
import { readSockets, readTable } from '../../proc/sockets.ts';
import type { Frame } from '../../protocol/replies.ts';
import type { CodePlace, Wait, WaitKinds, WaitsReply } from '../../protocol/waits.ts';
import { askMainThread } from '../ask.ts';
import type { Creation } from '../creations.ts';
import { referProbe } from '../evaluate.ts';
import { filePath, toFrame } from '../frames.ts';
import { type Place, readWithFunctions } from '../functions.ts';
import type { Inspector } from '../inspector.ts';
import { awaitsDebugger, debuggerType, debuggerWanted } from '../pending.ts';
import { type ActiveFigures, type ActiveItem, activeProbe } from '../probes/active.ts';
import { SourceMaps } from '../source-maps.ts';
import type { Readings, Subject } from '../subject.ts';
import { readTimers, type TimerFigures } from '../timers.ts';
import { attachWorkers, type WorkerLine } from '../workers.ts';

/** Entries of a reply; timers have a share of their own. */
const waitsLimit = 1_000;
const timersLimit = 400;
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
    const notes = ['only sockets are shown, as the kernel has them: the main thread does not answer'];
    return { data: await fromKernel(subject), stuck, notes };
  }
  const data = await describe(subject, value);
  const all = Object.values(data.counts).reduce((sum, count) => sum + count, 0);
  const notes = data.waits.length >= waitsLimit ? [`${data.waits.length} of ${all} are shown, all are counted`] : [];
  return { data, stuck: null, notes };
};

async function snapshot(subject: Subject, inspector: Inspector): Promise<Snapshot> {
  try {
    const limit = waitsLimit - timersLimit;
    const active = await readWithFunctions<ActiveFigures>(
      inspector,
      await referProbe(inspector, activeProbe, { limit }, group),
    );
    const timers = active.value.resources?.includes('Timeout')
      ? await readTimers(inspector, { limit: timersLimit, places: true })
      : { timers: [], places: [] };
    const held = active.value.resources?.length === 0 && (await awaitsDebugger(inspector));
    return { active, timers, workers: await attachWorkers(inspector, subject.ownThreadId), held };
  } finally {
    inspector.post('Runtime.releaseObjectGroup', { objectGroup: group }).catch(() => {});
  }
}

async function describe(subject: Subject, { active, timers, workers, held }: Snapshot): Promise<WaitsReply> {
  const { resources, items, tracking } = active.value;
  const counts: Record<string, number> = {};
  for (const type of resources ?? []) counts[type] = (counts[type] ?? 0) + 1;
  const maps = new SourceMaps(process.platform === 'linux' ? `${subject.procDir}/root` : '');
  const states = items.some(({ remote }) => remote !== null) ? await socketStates(subject) : new Map<string, string>();
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
    waits.push({ ...(await common(item.type, item.created)), ...kind } as Wait);
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
  return { counts, waits, tracking };
}

type Details = { [K in keyof WaitKinds]: { kind: K } & WaitKinds[K] }[keyof WaitKinds];

async function detailsOf(
  { procDir }: Subject,
  item: ActiveItem,
  states: ReadonlyMap<string, string>,
  callback: CodePlace | null,
): Promise<Details> {
  const { id, name } = item;
  const local = plainAddress(item.local);
  switch (item.kind) {
    case 'server':
      return { kind: 'server', address: local, connections: item.connections };
    case 'socket': {
      const remote = plainAddress(item.remote);
      const { tls, bytesRead, bytesWritten, http, connecting } = item;
      const state = states.get(`${local} ${remote}`) ?? (connecting ? 'connecting' : null);
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

/** By local and remote address, what the kernel says of TCP sockets. */
async function socketStates({ procDir }: Subject): Promise<Map<string, string>> {
  const tables = await Promise.all([readTable(procDir, 'tcp'), readTable(procDir, 'tcp6')]);
  return new Map(
    tables.flat().map(({ local, remote, state }) => [`${plainAddress(local)} ${plainAddress(remote)}`, state]),
  );
}

/** A v4 address that a v6 socket carries, as v4: Node writes `[::ffff:10.0.0.1]:80`, the kernel's table gives `[::ffff:a00:1]:80`. */
function plainAddress(address: string | null): string | null {
  const [, v4, high, low, port] =
    /^\[::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))\]:(\d+)$/.exec(address ?? '') ?? [];
  if (port === undefined) return address;
  if (v4 !== undefined) return `${v4}:${port}`;
  const [a, b] = [Number.parseInt(high!, 16), Number.parseInt(low!, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}:${port}`;
}

function asFrame({ file, ...frame }: Creation['frames'][number]): Frame {
  return { ...frame, file: filePath(file) };
}

async function fromKernel({ procDir }: Subject): Promise<WaitsReply> {
  const sockets = (await readSockets(procDir)) ?? [];
  const counts: Record<string, number> = {};
  const unknown = { ageMs: null, created: null };
  const waits = sockets.slice(0, waitsLimit).map(({ protocol, local, remote, state }): Wait => {
    const address = plainAddress(local);
    if (protocol.startsWith('udp')) return { kind: 'udp', type: 'UDPWrap', ...unknown, address };
    if (state === 'LISTEN') return { kind: 'server', type: 'TCPServerWrap', ...unknown, address, connections: null };
    const rest = { tls: false, bytesRead: null, bytesWritten: null, http: null };
    return {
      kind: 'socket',
      type: 'TCPSocketWrap',
      ...unknown,
      local: address,
      remote: plainAddress(remote),
      state,
      ...rest,
    };
  });
  for (const { type } of waits) counts[type] = (counts[type] ?? 0) + 1;
  return { counts, waits, tracking: null };
}
