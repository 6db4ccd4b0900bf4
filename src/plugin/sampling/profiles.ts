/** Short profiles of the look: the CPU where it is used, allocations always but where every second of CPU counts. */
import type { CaptureName } from '../../protocol/captures.ts';
import { asNodeopsError, type NodeopsError } from '../../protocol/errors.ts';
import type { AllocationSummary, CpuSummary, Reading } from '../../why/case.ts';
import { Jobs } from '../captures/jobs.ts';
import { captureLimits } from '../captures/limits.ts';
import { removeJob, runJob } from '../captures/run-job.ts';
import { MemorySink } from '../captures/sink.ts';
import type { Target } from '../targets/target.ts';

export interface Profiles {
  readonly cpu: CpuSummary | null;
  readonly allocations: AllocationSummary | null;
}

export interface ProfilesRequest {
  /** Until both must have ended. */
  readonly leftMs: number;
  readonly cpuPercent: number | null;
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

export async function takeProfiles(target: Target, request: ProfilesRequest): Promise<Profiles> {
  const { leftMs, cpuPercent, running } = request;
  if (leftMs < shortestMs) return { cpu: null, allocations: null };
  const busy = running || cpuPercent === null || cpuPercent >= cpuPercentWorth;
  const cpu = busy ? await takeCpu(target, request, Math.min(cpuMs, leftMs)) : null;
  const rest = leftMs - (busy ? Math.min(cpuMs, leftMs) + 300 : 0);
  if (rest < shortestMs) return { cpu, allocations: null };
  return { cpu, allocations: await takeAllocations(target, request, rest) };
}

async function takeCpu(target: Target, request: ProfilesRequest, duration: number): Promise<CpuSummary | null> {
  const bytes = await take(
    target,
    'pprof-cpu',
    { duration: Math.round(duration), interval: 1_000, thread: 'main' },
    request,
  );
  if (!bytes) return null;
  const [{ parseCpuProfile }, { summarizeCpu }] = await Promise.all([
    import('../../formats/cpuprofile.ts'),
    import('../../why/evidence/cpu-summary.ts'),
  ]);
  return attempt('pprof-cpu', request, () => summarizeCpu(parseCpuProfile(bytes)));
}

async function takeAllocations(
  target: Target,
  request: ProfilesRequest,
  duration: number,
): Promise<AllocationSummary | null> {
  const parameters = {
    duration: Math.round(duration),
    interval: (request.cpuPercent ?? 0) > 50 ? 64 * 1024 : 8 * 1024,
  };
  const bytes = await take(target, 'pprof-heap', parameters, request);
  if (!bytes) return null;
  const [{ parseHeapProfile }, { summarizeAllocations }] = await Promise.all([
    import('../../formats/heapprofile.ts'),
    import('../../why/evidence/allocation-summary.ts'),
  ]);
  return attempt('pprof-heap', request, () => summarizeAllocations(parseHeapProfile(bytes), duration));
}

async function take(
  target: Target,
  capture: CaptureName & Reading,
  parameters: Readonly<Record<string, unknown>>,
  { signal: outer, missing }: ProfilesRequest,
): Promise<Uint8Array | null> {
  const limits = { ...captureLimits, reconnectMs: 2_000, refusedMs: 1_000, abandonMs: 1_000 };
  const jobs = new Jobs(target, limits);
  const sink = new MemorySink(artifactBytes);
  const signal = AbortSignal.any([outer, AbortSignal.timeout(Number(parameters.duration) + answerMs)]);
  const quiet = { onState: () => {}, say: () => {}, beforeBytes: async () => {} };
  try {
    const request = { capture, parameters, timeoutMs: answerMs };
    const job = await runJob(jobs, request, sink, { limits, stop: signal, abandon: signal, ...quiet });
    await removeJob(jobs, job.id, limits);
    return sink.content();
  } catch (error) {
    missing(capture, asNodeopsError(error));
    return null;
  } finally {
    jobs.close();
  }
}

function attempt<T>(reading: Reading, { missing }: ProfilesRequest, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    missing(reading, asNodeopsError(error));
    return null;
  }
}
