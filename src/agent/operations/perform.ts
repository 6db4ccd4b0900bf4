/** Runs an operation on a process this agent answers for, in turn with others and within a deadline. */
import { effects } from '../../inspect/effects/effects.ts';
import { readings } from '../../inspect/readings/readings.ts';
import type { Reading, Subject } from '../../inspect/subject.ts';
import { captures } from '../../protocol/captures.ts';
import { NodeopsError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { type Operation, type OperationName, operations, type Parameters } from '../../protocol/operations.ts';
import type { Envelope, Replies, StatsReply } from '../../protocol/replies.ts';
import type { Pod } from '../pod.ts';
import { readRecent } from '../recorder/recent.ts';
import type { Resident } from '../resident.ts';
import { recorder } from './attend.ts';
import { look } from './look.ts';
import { queued } from './queue.ts';
import { recorded } from './recorded.ts';

interface Context {
  readonly pod: Pod;
  readonly resident: Resident;
  look<T>(read: (subject: Subject) => Promise<T>): Promise<T>;
}
type Handlers = {
  readonly [N in OperationName]: (context: Context, parameters: Parameters<N>) => Promise<Reading<Replies[N]>>;
};

const offers = [...Object.keys(operations), ...Object.keys(captures)];

/** One for each entry of the protocol's table. */
const handlers: Handlers = {
  version: async ({ resident, pod }) => ({
    data: { ...resident.version, offers },
    stuck: null,
    notes: [...pod.notes(), ...(resident.asleep ? [] : recorder().notes())],
  }),
  processes: async ({ pod }) => ({ data: { processes: pod.list() }, stuck: null, notes: pod.notes() }),
  process: ({ look }, parameters) => look((subject) => readings.process(subject, parameters)),
  stats: ({ look, resident }, { window }) => look((subject) => stats(subject, resident, window)),
  memstats: ({ look }, parameters) => look((subject) => readings.memstats(subject, parameters)),
  stack: ({ look }, parameters) => look((subject) => readings.stack(subject, parameters)),
  waits: ({ look }, parameters) => look((subject) => readings.waits(subject, parameters)),
  requests: ({ look }, parameters) => look((subject) => readings.requests(subject, parameters)),
  exceptions: ({ look }, parameters) => look((subject) => readings.exceptions(subject, parameters)),
  gc: ({ look }) => look((subject) => effects.gc(subject, {})),
  setgc: ({ look }, parameters) => look((subject) => effects.setgc(subject, parameters)),
  ...recorded,
};

/** Watches only where it was asked to, or where nothing is recorded. */
async function stats(subject: Subject, resident: Resident, window: number | undefined): Promise<Reading<StatsReply>> {
  const { watch } = recorder();
  const recent = window === undefined && watch && !resident.asleep ? readRecent(watch) : undefined;
  if (!recent) return readings.stats(subject, { window });
  const reading = await readings.stats(subject, { window: 0 });
  if (reading.stuck) return reading;
  const { data } = reading;
  return {
    ...reading,
    data: { ...data, eventLoop: recent.eventLoop, cpu: { ...data.cpu, percent: recent.percent } },
  };
}

/** From outside one process at a time: all of them would open their inspector on the same port. */
const outside = {};

/** What a reading may take beyond its own deadlines, which end earlier and know more: this one only makes sure of an end. */
const graceMs = 1_000;

/** Milliseconds within which an operation is answered: what it was asked to watch comes on top. */
export function deadlineMs(
  parameters: Readonly<Record<string, unknown>>,
  { deadlineMs: own = limits.readDeadlineMs }: Partial<Operation> = {},
): number {
  const watched = Math.max(0, ...[parameters.window, parameters.duration].filter((value) => typeof value === 'number'));
  return own + watched + graceMs;
}

export async function perform(
  pod: Pod,
  resident: Resident,
  name: OperationName,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Omit<Envelope<unknown>, 'schema' | 'at'>> {
  const { container, pid } = resident.info;
  const handler = handlers[name] as (context: Context, parameters: unknown) => Promise<Reading<unknown>>;
  const alone = operations[name].cost !== 'none' || resident.asleep !== undefined;
  const ownPorts = [pod.settings.port, pod.self.info.port, resident.info.port].filter((port) => port > 0);
  const run = () =>
    handler({ pod, resident, look: (read) => look(resident, (subject) => read({ ...subject, ownPorts })) }, parameters);
  const reading = await within(
    deadlineMs(parameters, operations[name]),
    pid,
    alone ? queued(resident.asleep ? outside : pod, run) : run(),
  );
  return {
    operation: name,
    process: { container, pid },
    data: reading.data,
    stuck: reading.stuck,
    notes: [...reading.notes],
  };
}

function within<T>(milliseconds: number, pid: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new NodeopsError('timeout', `process ${pid} could not be looked at within ${milliseconds / 1000} s`)),
      milliseconds,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
