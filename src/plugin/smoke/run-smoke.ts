/** `smoke`: samples every process of a selection, checks what it saw, keeps evidence of what fails. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { asNodeopsError, NodeopsError } from '../../protocol/errors.ts';
import type { Parsed } from '../../protocol/parameters.ts';
import { duration } from '../../protocol/text/quantities.ts';
import { localFailure } from '../artifacts/local-failure.ts';
import type { Invocation } from '../cli/command.ts';
import { errorLine } from '../cli/messages.ts';
import { resolveTargets } from '../targets/resolve.ts';
import { type Baseline, compare, makeBaseline, readBaseline } from './baseline.ts';
import { enough } from './checks.ts';
import { readChecksFile } from './checks-file.ts';
import { keepEvidence } from './evidence.ts';
import type { smokeFlags } from './flags.ts';
import { judge } from './judge.ts';
import { parseLimit } from './limit.ts';
import { checkFile, saveFile, writeReport } from './output/write.ts';
import { flagLimits, makePlan, type Plan } from './plan.ts';
import { lookAtPods, podKey, restartsBetween } from './pods.ts';
import { exitCodes, makeReport, noEvidence, type ReportRequest, type SmokeReport, subjectOf } from './report.ts';
import type { ProcessRun } from './run.ts';
import { sampleAll } from './sampling.ts';

export type SmokeInvocation = Omit<Invocation, 'flags'> & { readonly flags: Parsed<typeof smokeFlags> };

/** What was typed, read and checked before anything is asked of a process. */
interface Settings {
  readonly plan: Plan;
  readonly baseline: Baseline | undefined;
  readonly tolerance: number;
  readonly gcs: number;
  readonly artifacts: string | undefined;
}

/** Returns 0 when all checks passed, 1 when one failed, 2 when one could not be made. Throws `interrupted`, and bad input. */
export async function runSmoke(invocation: SmokeInvocation): Promise<number> {
  const { flags, io } = invocation;
  let settings: Settings;
  try {
    settings = await readSettings(invocation);
  } catch (error) {
    // 1 says that a check failed: whatever keeps the run from being made is 2
    io.stderr.write(errorLine(io.program, error));
    return exitCodes.unknown;
  }
  const at = io.now();
  const timing = { at, forMs: flags.for, everyMs: flags.every, warmupMs: flags.warmup };
  const report = await makeRun(invocation, settings, timing).catch((error: unknown) => {
    const problem = asNodeopsError(error);
    if (problem.code === 'interrupted' || io.signal.aborted) throw problem;
    io.stderr.write(errorLine(io.program, problem));
    return makeReport({ ...timing, subjects: [], notes: [], problem });
  });
  try {
    await writeReport(report, flags, io);
  } catch (error) {
    io.stderr.write(errorLine(io.program, error));
    // what failed is known, whether or not it could be written down
    return Math.max(exitCodes[report.verdict], report.verdict === 'pass' ? exitCodes.unknown : 0);
  }
  return exitCodes[report.verdict];
}

async function readSettings({ flags }: SmokeInvocation): Promise<Settings> {
  const tolerance = parseLimit('share', flags.tolerance);
  if (tolerance?.unit !== 'share' || !/%$/.test(flags.tolerance))
    throw new NodeopsError('usage', `--tolerance is '${flags.tolerance}'; it takes a percentage such as 20%`);
  const limits = flagLimits(flags);
  const file = flags.checks === undefined ? undefined : await readChecksFile(flags.checks);
  const plan = makePlan(limits, file, !flags['no-defaults']);
  const gcs = plan.includes('max-heap-growth') ? flags.gcs : 0;
  const samples = Math.floor(flags.for / flags.every);
  const needed = Math.max(enough.sampled, gcs);
  if (samples < needed)
    throw new NodeopsError(
      'usage',
      `--for ${duration(flags.for)} with --every ${duration(flags.every)} gives ${samples} samples, and it takes ${needed}`,
      {
        hint: `--for ${Math.ceil((needed * flags.every) / 1000)}s, or a shorter --every`,
      },
    );
  for (const name of ['junit', 'markdown', 'save-baseline'] as const) await checkFile(name, flags[name]);
  const artifacts = flags.artifacts === undefined ? undefined : resolve(flags.artifacts);
  if (artifacts !== undefined)
    await mkdir(artifacts, { recursive: true }).catch((error) => {
      throw localFailure(artifacts, error);
    });
  const baseline = flags.baseline === undefined ? undefined : await readBaseline(flags.baseline);
  return { plan, baseline, tolerance: tolerance.most, gcs, artifacts };
}

type Timing = Pick<ReportRequest, 'at' | 'forMs' | 'everyMs' | 'warmupMs'>;

async function makeRun(invocation: SmokeInvocation, settings: Settings, timing: Timing): Promise<SmokeReport> {
  const { flags, io } = invocation;
  const { plan, gcs, artifacts } = settings;
  const notes: string[] = [];
  const runs = await sample(invocation, gcs, notes);
  const judged = runs.map((run) => judge(run, plan.of({ workload: run.workload, container: run.name.container })));
  const found = runs.map(({ workload, name: { container } }) => ({ workload, container }));
  for (const name of plan.unused(found)) notes.push(`${flags.checks}: no process is of ${name}`);
  const kept =
    artifacts === undefined
      ? new Map()
      : await keepEvidence(judged, { directory: artifacts, profileMs: flags.profile }, io);
  const now = makeBaseline(runs, io.now());
  const groups = settings.baseline ? compare(settings.baseline, now, settings.tolerance) : [];
  const compared = groups.map(({ group, results }) => ({
    name: group,
    target: null,
    workload: group.slice(0, group.lastIndexOf('/')),
    nodeVersion: null,
    agentVersion: null,
    samples: 0,
    failedPolls: 0,
    results,
    evidence: noEvidence,
  }));
  const subjects = [...judged.map((each) => subjectOf(each, kept.get(each) ?? noEvidence)), ...compared];
  const report = makeReport({ ...timing, subjects, notes });
  const path = flags['save-baseline'];
  if (path === undefined) return report;
  if (report.verdict === 'pass') await saveFile(path, `${JSON.stringify(now, null, 2)}\n`);
  else notes.push(`the baseline ${path} is not written: only a run that passes is one`);
  return makeReport({ ...timing, subjects, notes });
}

async function sample(invocation: SmokeInvocation, gcs: number, notes: string[]): Promise<ProcessRun[]> {
  const { flags, io } = invocation;
  const container = flags.container === undefined ? undefined : `(?:${flags.container})`;
  const { targets, skipped, api } = await resolveTargets({
    ...invocation,
    flags: { ...flags, container, 'all-processes': true },
  });
  for (const { namespace, error } of skipped) notes.push(`skipped namespace ${namespace}: ${error.message}`);
  if (targets.length === 0) throw new NodeopsError('nothing-matched', 'no process matches the selection');
  const { for: forMs, every: everyMs, warmup: warmupMs, timeout: timeoutMs } = flags;
  const count = targets.length === 1 ? '1 process' : `${targets.length} processes`;
  io.stderr.write(`sampling ${count} for ${duration(forMs)}${warmupMs > 0 ? `, after ${duration(warmupMs)}` : ''}\n`);
  const before = await lookAtPods(api, targets, io);
  const sampled = await sampleAll(targets, { forMs, everyMs, warmupMs, gcs, timeoutMs }, io);
  const after = await lookAtPods(api, targets, io);
  await api?.close();
  return sampled.map((each) => {
    const { pod } = each.target.endpoint;
    const facts = pod && (after.get(podKey(pod)) ?? before.get(podKey(pod)));
    return {
      ...each,
      workload: pod ? (facts?.workload ?? pod.name) : null,
      restarts: restartsBetween(pod, each.name.container, before, after),
    };
  });
}
