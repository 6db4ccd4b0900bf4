import { duration } from '../../protocol/text/quantities.ts';
import type { Evidence } from '../evidence/evidence.ts';
import { placeOf } from '../evidence/frames.ts';
import { type Finding, finding, type Rule } from '../finding.ts';
import { costOf, loopFinding, loopThresholds } from './loop.ts';

const next = 'stack TARGET';
const remedy = 'Start it with spawn or execFile and await its end, with a timeout; or do it in a process of its own.';

export const syncChild: Rule = {
  id: 'sync-child',
  passed: 'no child process is waited for',
  needs: ['stack'],
  thresholds: loopThresholds,
  find(e) {
    const works = e.work.filter(({ kind, caller }) => kind === 'child' && caller !== null);
    const [top] = works;
    const cost = costOf(e, works);
    if (!top?.caller || !cost) return byKernel(e);
    const sentence = `the event loop waits for a child process: ${top.call ?? 'execSync'}, called by ${placeOf(top.caller)}${childText(e, cost.worstMs)}`;
    return loopFinding(e, top, cost, { id: 'sync-child', sentence, next, remedy });
  },
};

/** Of a wait that began before anybody looked: the kernel's evidence names the call, the list of children the command. */
function byKernel(e: Evidence): Finding | null {
  const stuck =
    e.case.stacks.findLast((sample) => sample.stuck)?.stuck ?? e.case.moments.findLast((m) => m.stuck)?.stuck;
  if (!stuck || !/execSync|spawnSync/.test(stuck.summary)) return null;
  return finding('sync-child', {
    weight: 0.95,
    sentence: `the event loop waits for a child process run by execSync or spawnSync, for at least ${duration(stuck.forMs)}${childText(e, stuck.forMs)}`,
    certainty: 'likely',
    against: ['no JavaScript frame could be read: who started it is not known'],
    next,
    remedy,
    figures: { worstMs: Math.round(stuck.forMs), syscall: stuck.syscall },
  });
}

/** The child whose age is nearest to the wait. */
function childText({ case: { children } }: Evidence, waitedMs: number): string {
  const all = children.flatMap(({ reply }) => reply);
  const off = (ageSeconds: number) => Math.abs(ageSeconds * 1000 - waitedMs);
  const [child] = all.toSorted((a, b) => off(a.ageSeconds) - off(b.ageSeconds));
  return child
    ? `; its child ${child.pid} is '${child.command.slice(0, 80)}', ${duration(child.ageSeconds * 1000)} old`
    : '';
}
