/** One capture from its start to its last byte, checked; or abandoned, with nothing left running. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CaptureName, captures, type JobInfo } from '../../protocol/captures.ts';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import { limits as protocolLimits } from '../../protocol/limits.ts';
import { duration } from '../../protocol/text/quantities.ts';
import { decodeError } from '../../protocol/wire.ts';
import type { Endpoint } from '../target.ts';
import { download } from './download.ts';
import { follow, insist } from './follow.ts';
import { Jobs } from './jobs.ts';
import type { CaptureLimits } from './limits.ts';
import { Reconnect } from './reconnect.ts';
import type { Sink } from './sink.ts';

export interface JobRequest {
  readonly capture: CaptureName;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** To start it. */
  readonly timeoutMs: number;
  /** Of the artifact. */
  readonly maxBytes: number;
}

export interface JobOptions {
  readonly limits: CaptureLimits;
  /** First Ctrl-C: end it early and keep what there is; what cannot be ended early is abandoned. */
  readonly stop: AbortSignal;
  /** Second Ctrl-C. */
  readonly abandon: AbortSignal;
  /** What it does now. */
  readonly onState: (info: JobInfo, received: number) => void;
  /** Sentences for the user. */
  readonly say: (text: string) => void;
  /** Called with the artifact's size before it is fetched. */
  readonly beforeBytes: (bytes: number) => Promise<void>;
}

/** Runs a capture and fetches its artifact into the sink. The job is left with the agent; see `removeJob`. */
export async function runJob(jobs: Jobs, request: JobRequest, sink: Sink, options: JobOptions): Promise<JobInfo> {
  const { stoppable } = captures[request.capture];
  const abandon = stoppable ? options.abandon : AbortSignal.any([options.stop, options.abandon]);
  const first = await start(jobs, request, options, abandon);
  try {
    return await finish(jobs, first, sink, request.maxBytes, options, abandon);
  } catch (error) {
    const { name } = jobs.target.endpoint;
    if (abandon.aborted) {
      const removed = await removeJob(jobs, first.id, options.limits);
      throw new NodeopsError('interrupted', `abandoned: the ${request.capture} of ${name} was ${leftover(removed)}`);
    }
    const known = asNodeopsError(error);
    if (!keeps(known)) await removeJob(jobs, first.id, options.limits);
    throw known;
  }
}

/** Tells the agent to forget a job. Returns whether it heard that. */
export async function removeJob(jobs: Jobs, id: string, { abandonMs }: CaptureLimits): Promise<boolean> {
  const deadline = AbortSignal.timeout(abandonMs);
  for (;;) {
    try {
      await jobs.remove(id, deadline);
      return true;
    } catch (error) {
      if (error instanceof NodeopsError && error.code === 'no-such-job') return true;
      if (deadline.aborted) return false;
      jobs.reconnect();
      await sleep(200);
    }
  }
}

function leftover(removed: boolean): string {
  if (removed) return 'stopped and nothing is left of it';
  return `given up; the agent could not be told, and stops it by itself within ${duration(protocolLimits.jobAbandonedMs)}`;
}

/** Whether the artifact may still be fetched from where the agent keeps it. */
function keeps({ code }: NodeopsError): boolean {
  return code === 'local-file' || code === 'unreachable' || code === 'stalled' || code === 'timeout';
}

/** The answer to the start names the job, so an interrupted one is waited for a little: else nobody could stop the job. */
async function start(
  jobs: Jobs,
  { capture, parameters, timeoutMs }: JobRequest,
  { limits, stop }: JobOptions,
  abandon: AbortSignal,
): Promise<JobInfo> {
  stop.throwIfAborted();
  const giveUp = new AbortController();
  const late = () => setTimeout(() => giveUp.abort(abandon.reason), limits.abandonMs).unref();
  abandon.addEventListener('abort', late, { once: true });
  try {
    return await jobs.start(capture, parameters, giveUp.signal, timeoutMs);
  } catch (error) {
    if (abandon.aborted)
      throw new NodeopsError(
        'interrupted',
        `abandoned: ${jobs.target.endpoint.name} did not say whether the ${capture} began; an unwatched one ends within ${duration(protocolLimits.jobAbandonedMs)}`,
      );
    throw error;
  } finally {
    abandon.removeEventListener('abort', late);
  }
}

async function finish(
  jobs: Jobs,
  first: JobInfo,
  sink: Sink,
  maxBytes: number,
  options: JobOptions,
  abandon: AbortSignal,
): Promise<JobInfo> {
  const { limits, say, onState } = options;
  const { name } = jobs.target.endpoint;
  // one failing ends the other
  const failed = new AbortController();
  const signal = AbortSignal.any([abandon, failed.signal]);
  const outages = { name, limits, say, signal };
  const reconnect = new Reconnect(outages);
  let last = first;
  let fetching: Promise<void> | undefined;
  // while it is followed, the transfer has a connection of its own: when following reconnects, the transfer goes on
  const transfer = first.resumable ? jobs : new Jobs(jobs.target, limits);

  const fetch = async (): Promise<void> => {
    await options.beforeBytes(last.bytes);
    await download(transfer, first.id, sink, {
      reconnect: new Reconnect(outages),
      limits,
      signal,
      totalBytes: () => (last.state === 'running' ? undefined : last.bytes),
      onBytes: (bytes) => onState(last, bytes),
      maxBytes,
    });
  };
  const onInfo = (info: JobInfo): void => {
    last = info;
    onState(info, sink.bytes);
    // what is not kept on disk waits in the agent's memory: it goes on only as it is fetched
    if (info.resumable || info.bytes === 0 || info.state === 'failed' || fetching) return;
    fetching = fetch();
    fetching.catch((error) => failed.abort(error));
  };
  const stopping = stopOnRequest(jobs, first, options, new Reconnect(outages), signal, () => last);
  try {
    onState(first, 0);
    const ended = await follow(jobs, first.id, { reconnect, signal, onInfo });
    checkEnd(ended, name);
    last = ended;
    await (fetching ?? fetch());
    verify(sink, ended, name);
    return ended;
  } catch (error) {
    throw worded(failed.signal.aborted ? failed.signal.reason : error, last, jobs);
  } finally {
    failed.abort();
    stopping();
    await fetching?.catch(() => {});
    if (transfer !== jobs) transfer.close();
  }
}

/** Ends the capture early when `stop` says so. Returns what ends the listening. */
function stopOnRequest(
  jobs: Jobs,
  { id, capture }: JobInfo,
  { stop, say }: JobOptions,
  reconnect: Reconnect,
  signal: AbortSignal,
  last: () => JobInfo,
): () => void {
  if (!captures[capture].stoppable) return () => {};
  const request = (): void => {
    if (last().state !== 'running') {
      say('still fetching it; Ctrl-C again to abandon it');
      return;
    }
    say('stopping early, keeping what there is; Ctrl-C again to abandon it');
    // that it could not be told shows in the state that is followed
    insist(jobs, reconnect, () => jobs.stop(id, signal)).catch(() => {});
  };
  if (stop.aborted) request();
  else stop.addEventListener('abort', request, { once: true });
  return () => stop.removeEventListener('abort', request);
}

function checkEnd(info: JobInfo, name: string): void {
  if (info.state === 'finished') return;
  if (info.state === 'abandoned')
    throw new NodeopsError(
      'failed',
      `the agent of ${name} ended the ${info.capture}, as nobody asked about it for long`,
      {
        hint: 'take it again',
      },
    );
  throw decodeError({ error: info.error }) ?? new NodeopsError('failed', `the ${info.capture} of ${name} failed`);
}

function verify(sink: Sink, { bytes, sha256, capture }: JobInfo, name: string): void {
  const ours = sink.sha256();
  if (sink.bytes === bytes && sha256 === ours) return;
  throw new NodeopsError(
    'failed',
    `the ${capture} of ${name} arrived damaged: ${sink.bytes} bytes with sha256 ${ours}, made were ${bytes} with ${sha256}`,
    { hint: 'take it again' },
  );
}

/** Adds what became of the capture to what went wrong on the way. */
function worded(error: unknown, info: JobInfo, jobs: Jobs): unknown {
  if (!(error instanceof NodeopsError)) return error;
  const { name } = jobs.target.endpoint;
  if (error.code === 'no-such-job')
    return new NodeopsError(
      error.code,
      `the agent of ${name} no longer has the ${info.capture}: its process was restarted, or it was away for too long`,
      { cause: error, hint: 'take it again' },
    );
  if (error.code === 'no-such-pod' || error.code === 'pod-not-running' || error.code === 'no-agent')
    return new NodeopsError(error.code, `${error.message}; the ${info.capture} is lost with its process`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  return keeps(error) ? withKept(error, info, jobs) : error;
}

/** Names the copy that the agent keeps. */
export function withKept(error: NodeopsError, info: JobInfo, { target: { endpoint } }: Jobs): NodeopsError {
  if (info.path === null || info.state !== 'finished') return error;
  const kept = `the agent keeps it for ${duration(protocolLimits.jobKeptMs)} as ${info.path}${copyCommand(info.path, endpoint)}`;
  return new NodeopsError(error.code, error.message, {
    cause: error.cause,
    hint: error.hint === undefined ? kept : `${error.hint}; ${kept}`,
    detail: { ...error.detail, kept: info.path, job: info.id },
  });
}

/** Only of a path that a shell takes for nothing else. */
function copyCommand(path: string, { pod }: Endpoint): string {
  if (!/^[\w./-]+$/.test(path) || path.startsWith('-')) return '';
  return pod ? `: kubectl cp -n ${pod.namespace} ${pod.name}:${path} FILE` : `: cp ${path} FILE`;
}
