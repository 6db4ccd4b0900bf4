/** The capture `leaks` of one process, as a value: for the command of that name, and for `why`. */
import { NodeopsError } from '../../protocol/errors.ts';
import type { LeaksReport } from '../../protocol/leaks.ts';
import type { Envelope, VersionReply } from '../../protocol/replies.ts';
import { Jobs } from '../captures/jobs.ts';
import { type CaptureLimits, captureLimits } from '../captures/limits.ts';
import { stateText } from '../captures/progress.ts';
import { removeJob, runJob } from '../captures/run-job.ts';
import { MemorySink } from '../captures/sink.ts';
import type { Target } from '../target.ts';

export interface LeaksRequest {
  readonly parameters: { readonly duration: number; readonly interval?: number | undefined };
  /** To start it. */
  readonly timeoutMs: number;
  readonly limits?: CaptureLimits;
  /** Ends it early: what was looked at by then is told. */
  readonly stop: AbortSignal;
  readonly abandon: AbortSignal;
  readonly onState?: (text: string) => void;
  readonly say?: (text: string) => void;
}

export interface TakenLeaks {
  readonly who: Envelope<VersionReply>;
  readonly report: LeaksReport;
  readonly notes: readonly string[];
}

const artifactBytes = 16 * 1024 * 1024;

export async function takeLeaks(target: Target, request: LeaksRequest): Promise<TakenLeaks> {
  const { parameters, timeoutMs, limits = captureLimits, stop, abandon, onState, say = () => {} } = request;
  const jobs = new Jobs(target, limits);
  try {
    const who = await jobs.identity(stop, timeoutMs);
    const sink = new MemorySink(artifactBytes);
    const asked = { capture: 'leaks', parameters, timeoutMs, maxBytes: artifactBytes } as const;
    const job = await runJob(jobs, asked, sink, {
      ...{ limits, stop, abandon, say },
      onState: (info, received) => onState?.(stateText(info, received)),
      beforeBytes: async () => {},
    });
    await removeJob(jobs, job.id, limits);
    return { who, report: parse(sink.content()), notes: job.notes };
  } finally {
    jobs.close();
  }
}

function parse(bytes: Uint8Array): LeaksReport {
  const report = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<LeaksReport> | null;
  if (!Array.isArray(report?.sites) || !Array.isArray(report.looks) || !Array.isArray(report.grown))
    throw new NodeopsError('failed', 'what the agent sent is not what `leaks` yields');
  return report as LeaksReport;
}
