/** Short profiles of the look: the CPU where it is used, allocations always but where every second of CPU counts. */
import type { CaptureName } from '../../protocol/captures.ts';
import { asNodeopsError, type NodeopsError } from '../../protocol/errors.ts';
import type { AllocationSummary, CpuSummary, Reading } from '../../why/case.ts';
import { Jobs } from '../captures/jobs.ts';
import { captureLimits } from '../captures/limits.ts';
import { removeJob, runJob } from '../captures/run-job.ts';
import { MemorySink } from '../captures/sink.ts';
import type { Target } from '../target.ts';

export interface Profiles {
  readonly cpu: CpuSummary | null;
  readonly allocations: AllocationSummary | null;
}

export interface ProfilesRequest {
  /** As of performance.now: both must have ended by then. */
  readonly endAt: number;
  readonly cpuPercent: number | null;
  /** Whether it did not answer when it was asked last: then no profiler can be started. */
  readonly stuck: boolean;
  /** Bytes allocated each second, as far as it is known. */
  readonly allocatedPerSecond: () => number | null;
  /** Whether the main thread was seen at work. */
  readonly running: boolean;
  readonly signal: AbortSignal;
  missing(reading: Reading, error: NodeopsError): void;
}

/** Less than this says nothing. */
const shortestMs = 500;
const cpuMs = 3_000;
/** A process that uses less is not profiled: there is nothing to find. */
const cpuPercentWorth = 10;
const artifactBytes = 64 * 1024 * 1024;
const answerMs = 6_000;
/** After the time that both have, until what is still under way is abandoned. */
const graceMs = 2_500;
const samplesPerSecond = 400;
const smallestInterval = 1_024;
const largestInterval = 512 * 1024;

export async function takeProfiles(target: Target, request: ProfilesRequest): Promise<Profiles> {
  const { cpuPercent, running, stuck, endAt } = request;
  const left = () => endAt - performance.now();
  if (left() < shortestMs || stuck) return { cpu: null, allocations: null };
  const busy = running || cpuPercent === null || cpuPercent >= cpuPercentWorth;
  const cpu = busy
    ? await attempt('pprof-cpu', request, () => takeCpu(target, request, Math.min(cpuMs, left())))
    : null;
  if (left() < shortestMs) return { cpu, allocations: null };
  return { cpu, allocations: await attempt('pprof-heap', request, () => takeAllocations(target, request, left())) };
}

async function takeCpu(target: Target, request: ProfilesRequest, duration: number): Promise<CpuSummary | null> {
  const parameters = { duration: Math.round(duration), interval: 1_000, thread: 'main' };
  const bytes = await take(target, 'pprof-cpu', { ...parameters, source: true }, request).catch((error: unknown) => {
    // an older agent knows no sources
    if (asNodeopsError(error).code !== 'bad-request') throw error;
    return take(target, 'pprof-cpu', parameters, request);
  });
  const [{ parseCpuProfile }, { summarizeCpu }] = await Promise.all([
    import('../../formats/cpuprofile.ts'),
    import('../../why/evidence/cpu-summary.ts'),
  ]);
  return summarizeCpu(parseCpuProfile(bytes));
}

async function takeAllocations(
  target: Target,
  request: ProfilesRequest,
  duration: number,
): Promise<AllocationSummary | null> {
  const parameters = { duration: Math.round(duration), interval: intervalFor(request.allocatedPerSecond()) };
  const bytes = await take(target, 'pprof-heap', parameters, request);
  const [{ parseHeapProfile }, { summarizeAllocations }] = await Promise.all([
    import('../../formats/heapprofile.ts'),
    import('../../why/evidence/allocation-summary.ts'),
  ]);
  return summarizeAllocations(parseHeapProfile(bytes), duration);
}

/** Enough samples to say something, and so few that nobody feels them: each costs some ten microseconds. */
function intervalFor(bytesPerSecond: number | null): number {
  const interval = (bytesPerSecond ?? 16 * 1024 * 1024) / samplesPerSecond;
  return Math.round(Math.min(largestInterval, Math.max(smallestInterval, interval)));
}

async function take(
  target: Target,
  capture: CaptureName & Reading,
  parameters: Readonly<Record<string, unknown>>,
  { signal: outer, endAt }: ProfilesRequest,
): Promise<Uint8Array> {
  const limits = { ...captureLimits, reconnectMs: 2_000, refusedMs: 1_000, abandonMs: 1_000 };
  const jobs = new Jobs(target, limits);
  const sink = new MemorySink(artifactBytes);
  const patience = Math.round(Math.max(200, endAt - performance.now() + graceMs));
  const signal = AbortSignal.any([outer, AbortSignal.timeout(patience)]);
  const quiet = { onState: () => {}, say: () => {}, beforeBytes: async () => {} };
  try {
    const timeoutMs = Math.min(answerMs, patience);
    const request = { capture, parameters, timeoutMs, maxBytes: artifactBytes };
    const job = await runJob(jobs, request, sink, { limits, stop: signal, abandon: signal, ...quiet });
    // nobody waits for that
    void removeJob(jobs, job.id, limits).finally(() => jobs.close());
    return sink.content();
  } catch (error) {
    jobs.close();
    throw error;
  }
}

async function attempt<T>(reading: Reading, { missing }: ProfilesRequest, make: () => Promise<T>): Promise<T | null> {
  try {
    return await make();
  } catch (error) {
    missing(reading, asNodeopsError(error));
    return null;
  }
}
