/** `smoke`: samples every process of a selection, checks what it saw, keeps evidence of what fails. */
import { asNodeopsError, NodeopsError } from '../../../protocol/errors.ts';
import { duration } from '../../../protocol/text/quantities.ts';
import { errorLine } from '../../render/messages.ts';
import type { TargetName } from '../../render/target-name.ts';
import { resolveTargets } from '../../targets/resolve.ts';
import { compare, makeBaseline, missingGroups } from './baseline.ts';
import { keepEvidence } from './evidence.ts';
import { judge } from './judge.ts';
import { saveFile, writeReport } from './output/write.ts';
import { lookAtPods, podKey, restartsBetween } from './pods.ts';
import { lookAgain } from './presence.ts';
import {
  exitCodes,
  makeReport,
  noEvidence,
  processName,
  type ReportRequest,
  type SmokeReport,
  subjectOf,
} from './report.ts';
import type { ProcessRun } from './run.ts';
import { sampleAll } from './sampling.ts';
import { readSettings, type Settings, type SmokeInvocation } from './settings.ts';

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
  if (settings.baseline)
    for (const group of missingGroups(settings.baseline, now))
      notes.push(`not compared: ${group} is in the baseline, and this run has no figures of it`);
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
  const pattern = container === undefined ? undefined : new RegExp(`^${container}$`);
  const { presence, appeared } = await lookAgain(sampled, pattern, {
    ...invocation,
    flags: { ...flags, 'all-processes': true },
    api,
  });
  await api?.close();
  if (io.signal.aborted) throw new NodeopsError('interrupted', 'interrupted before the run was over');
  notes.push(...appearedNote(appeared));
  return sampled.map((each) => {
    const { pod } = each.target.endpoint;
    const facts = pod && (after.get(podKey(pod)) ?? before.get(podKey(pod)));
    return {
      ...each,
      presence: presence(each),
      workload: pod ? (facts?.workload ?? pod.name) : null,
      restarts: restartsBetween(pod, each.name.container, before, after),
    };
  });
}

/** Names that a note has. */
const limitNames = 10;

function appearedNote(appeared: readonly TargetName[]): string[] {
  if (appeared.length === 0) return [];
  const names = appeared.slice(0, limitNames).map(processName);
  const more = appeared.length > names.length ? `, and ${appeared.length - names.length} more` : '';
  return [`not sampled, as they came during the run: ${names.join(', ')}${more}`];
}
