/** Everything one agent can tell of its process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { CaptureName } from '../../../protocol/captures.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { OperationName } from '../../../protocol/operations.ts';
import type { Envelope, Replies } from '../../../protocol/replies.ts';
import { memstatsText } from '../../../protocol/text/memstats.ts';
import { processText, versionText } from '../../../protocol/text/process.ts';
import { bytesShort, duration, percent } from '../../../protocol/text/quantities.ts';
import { stackText } from '../../../protocol/text/stack.ts';
import { statsText } from '../../../protocol/text/stats.ts';
import { pathPrefix } from '../../../protocol/wire.ts';
import type { Secrets } from '../../../secrets/secrets.ts';
import { captureInto } from '../../captures/capture-into.ts';
import { AgentClient, askTimeoutMs } from '../../client/client.ts';
import { readReply } from '../../client/exchange.ts';
import type { Io } from '../../io.ts';
import type { Target } from '../../target.ts';
import type { Subject } from './contents.ts';
import { addWhy, type WhyOptions } from './why.ts';

type Asked = Exclude<OperationName & keyof typeof texts, 'processes'>;
const texts = {
  version: versionText,
  process: processText,
  stats: statsText,
  memstats: memstatsText,
  stack: stackText,
} as const;

/** Reads that only newer agents have, by their path: an older one says that there is none. */
const newer = ['waits', 'history', 'artifacts'] as const;

export interface ProcessOptions {
  /** Milliseconds; 0 for none. */
  readonly profileMs: number;
  readonly timeoutMs: number | undefined;
  readonly why: WhyOptions;
}

export async function collectProcess(
  target: Target,
  subject: Subject,
  secrets: Secrets,
  { profileMs, timeoutMs = askTimeoutMs, why }: ProcessOptions,
  io: Io,
): Promise<void> {
  const client = new AgentClient(target.endpoint);
  const asking = { process: target.process, signal: io.signal, timeoutMs };
  try {
    const first = await client.ask('version', {}, asking).catch((error: unknown) => error);
    if (first instanceof Error) {
      io.signal.throwIfAborted();
      // whoever does not answer this answers nothing, and each question would be waited for
      for (const what of [...Object.keys(texts), ...newer, ...looks(profileMs)]) subject.lacks(what, first);
      return;
    }
    for (const name of Object.keys(texts) as Asked[])
      await subject.try(name, io.signal, async () => {
        const reply = await client.ask(name, {}, asking);
        learn(subject, name, reply);
        await addReply(subject, secrets, name, reply);
      });
    for (const name of newer)
      await subject.try(name, io.signal, async () => {
        const json = await askByPath(client, name, target, io.signal, timeoutMs, secrets);
        await subject.text(name, `${name}.json`, json, { masked: true });
      });
    if (profileMs > 0) await subject.try('why', io.signal, () => addWhy(target, subject, secrets, why, io));
    for (const capture of captureNames(profileMs))
      await subject.try(capture, io.signal, () => addCapture(target, subject, capture, profileMs, io));
    if (profileMs === 0)
      for (const name of ['why', 'pprof-cpu', 'pprof-heap']) subject.lacks(name, 'left out by --profile 0');
  } finally {
    client.close();
  }
}

function looks(profileMs: number): string[] {
  return [...(profileMs > 0 ? ['why'] : []), ...captureNames(profileMs)];
}

function captureNames(profileMs: number): CaptureName[] {
  return ['report', ...(profileMs > 0 ? (['pprof-cpu', 'pprof-heap'] as const) : [])];
}

async function addReply<N extends Asked>(
  subject: Subject,
  secrets: Secrets,
  name: N,
  reply: Envelope<Replies[N]>,
): Promise<void> {
  const value = secrets.value(reply) as Envelope<Replies[N]>;
  const lines = (texts[name] as (data: Replies[N]) => string[])(value.data);
  const notes = [
    ...(value.stuck ? [`stuck: ${value.stuck.summary}`] : []),
    ...value.notes.map((note) => `note: ${note}`),
  ];
  const readable = [...notes, ...lines].join('\n');
  await subject.text(name, `${name}.json`, `${JSON.stringify(value, null, 2)}\n`, { readable, masked: true });
}

/** What a reader wants to know first. */
function learn(subject: Subject, name: Asked, { data, stuck }: Envelope<unknown>): void {
  const { facts } = subject;
  if (stuck) facts.push(['stuck', stuck.summary]);
  if (name === 'version') {
    const { nodeVersion, agentVersion, platform, arch } = data as Replies['version'];
    facts.push(['Node.js', nodeVersion], ['agent', agentVersion], ['platform', `${platform}/${arch}`]);
  } else if (name === 'stats') {
    const { uptimeSeconds, eventLoop, cpu, handles } = data as Replies['stats'];
    facts.push(['uptime', duration(uptimeSeconds * 1000)]);
    if (cpu.percent !== null) facts.push(['CPU', `${Math.round(cpu.percent)}%`]);
    if (eventLoop.utilization !== null) facts.push(['event loop', percent(eventLoop.utilization)]);
    if (eventLoop.delayP99Ms !== null) facts.push(['delay p99', duration(eventLoop.delayP99Ms)]);
    if (handles) facts.push(['handles', String(handles.total)]);
  } else if (name === 'memstats') {
    const { rssBytes, heap, cgroup } = data as Replies['memstats'];
    const of = (limit: number | null | undefined) => (limit ? ` of ${bytesShort(limit)}` : '');
    if (rssBytes !== null) facts.push(['RSS', `${bytesShort(rssBytes)}${of(cgroup?.limitBytes)}`]);
    if (heap) facts.push(['heap', `${bytesShort(heap.usedBytes)}${of(heap.limitBytes)}`]);
  }
}

async function askByPath(
  client: AgentClient,
  name: string,
  { process }: Target,
  outer: AbortSignal,
  timeoutMs: number,
  secrets: Secrets,
): Promise<string> {
  const query = process === undefined ? '' : `?${new URLSearchParams({ process })}`;
  const signal = AbortSignal.any([outer, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await client.request({ method: 'GET', path: `${pathPrefix}${name}${query}`, signal, timeoutMs });
    const text = await readReply(response);
    return `${JSON.stringify(secrets.value(JSON.parse(text)), null, 2)}\n`;
  } catch (error) {
    if (!(error instanceof NodeopsError) || error.code !== 'no-such-operation') throw error;
    throw new NodeopsError('unsupported', 'the agent does not offer it', { cause: error });
  }
}

/** By way of the disk: a report or profile is streamed in from there. */
async function addCapture(
  target: Target,
  subject: Subject,
  capture: CaptureName,
  profileMs: number,
  io: Io,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nodeops-bundle-'));
  try {
    const parameters = capture === 'report' ? {} : { duration: profileMs };
    for (const path of await captureInto(target, { capture, parameters, directory }, io))
      await subject.file(capture, basename(path), path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
