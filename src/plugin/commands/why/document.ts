/** `why -o json`. */
import type { Case } from '../../../why/case.ts';
import { type Diagnosis, isBlind } from '../../../why/diagnose.ts';
import { groupOf } from '../../../why/group.ts';
import type { WhyGroup, WhyReply } from '../../../why/reply.ts';
import type { Outcome } from '../../client/fanout.ts';
import { itemObject } from '../../render/document.ts';
import { type TargetName, targetName } from '../../render/target-name.ts';
import type { Looked } from '../../sampling/look.ts';
import type { Target } from '../../target.ts';

export interface Answered {
  readonly target: TargetName;
  readonly case: Case;
  readonly diagnosis: Diagnosis;
}

export function answerObject({ target, case: seen, diagnosis }: Answered): object {
  const { at, lookMs, subject } = seen;
  const { findings, passed, skipped } = diagnosis;
  return itemObject({
    target,
    envelope: {
      schema: 'nodeops/v1',
      operation: 'why',
      at,
      process: { container: subject.container, pid: subject.pid },
      data: {
        lookMs: Math.round(lookMs),
        nodeVersion: subject.nodeVersion,
        agentVersion: subject.agentVersion,
        verdict: findings[0]?.level ?? (isBlind(seen) ? 'unknown' : 'healthy'),
        findings,
        passed,
        skipped,
      } satisfies WhyReply,
      stuck: seen.moments.at(-1)?.stuck ?? null,
      notes: seen.missing.map(({ reading, reason }) => `${reading} could not be had: ${reason}`),
    },
  });
}

/** Several: one item each, in the order they were named, and which of them have the same answer. */
export function listOf(answered: readonly Answered[], outcomes: readonly Outcome<Target, Looked>[]): object {
  const left = [...answered];
  const items = outcomes.map(({ of, error }) =>
    error ? itemObject({ target: targetName(of), error }) : answerObject(left.shift()!),
  );
  const groups = groupOf(answered.map(({ target, diagnosis }) => ({ name: target, diagnosis }))).map(
    ({ finding, members }): WhyGroup => ({
      finding: finding && { id: finding.id, place: finding.place, sentence: finding.sentence },
      targets: members.map(({ name }) => name),
    }),
  );
  return { schema: 'nodeops/v1', kind: 'List', operation: 'why', items, groups };
}
