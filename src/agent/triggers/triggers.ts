/** Evaluates the rules with each second of the recorder, and captures what a rule names when it holds. */
import type { ArtifactSink, CaptureControl } from '../../inspect/captures/capture.ts';
import type { Subject } from '../../inspect/subject.ts';
import { type CaptureName, captures } from '../../protocol/captures.ts';
import { figureOf, figuresByRule } from '../../protocol/figures.ts';
import type { TriggersState } from '../../protocol/history.ts';
import type { ProcessInfo } from '../../protocol/replies.ts';
import type { Rule } from '../../protocol/triggers.ts';
import type { Kept } from '../crash/kept.ts';
import type { Watch } from '../recorder/watch.ts';
import type { TriggerSettings } from '../settings/trigger-settings.ts';
import { lastFirings, mayFire, noteFiring } from './firings.ts';
import { type RuleInForce, readRules } from './rules.ts';

export interface Triggers {
  second(watch: Watch): void;
  /** Null where no rules were given. */
  state(): TriggersState | null;
}

/** What the rules are evaluated in. */
interface Place {
  /** Where captures go. */
  readonly kept: Kept | undefined;
  readonly info: ProcessInfo;
  /** Whether there are seconds to evaluate them with. */
  readonly recorded: boolean;
  /** Whether this thread stays as long as the process. */
  readonly resident: boolean;
}

export function startTriggers(settings: TriggerSettings, { kept, info, recorded, resident }: Place): Triggers {
  const asked = settings.text !== null || settings.file !== null;
  const rules = readRules(settings);
  let inForce: readonly RuleInForce[] = rules.look();
  let busy = false;
  /** Since when a rule's condition holds, by performance.now; and why its last capture failed. By the rule's text. */
  const holds = new Map<string, number>();
  const failures = new Map<string, string>();
  /** Rules about a limit that there is none of here. */
  let unlimited: readonly Rule[] = [];

  /** What was known of rules that are gone would count for them when they come back. */
  function adopt(changed: readonly RuleInForce[]): void {
    inForce = changed;
    const known = new Set(inForce.map(({ text }) => text));
    for (const map of [holds, failures]) for (const text of map.keys()) if (!known.has(text)) map.delete(text);
  }

  async function fire(rule: Rule, store: Kept): Promise<void> {
    busy = true;
    try {
      // another process of the container may have been faster
      if (!noteFiring(store, rule)) return;
      const at = new Date().toISOString().replaceAll(/[-:]/g, '');
      const extension = rule.capture === 'stack' ? 'stack.json' : captures[rule.capture].extension;
      const { takeCapture } = await import('../recorder/take-capture.ts');
      const text = await takeCapture(await runner(rule)).text;
      store.write(`triggers/${at}-${rule.figure}-${info.pid}.${extension}`, text);
      failures.delete(rule.text);
    } catch (error) {
      failures.set(rule.text, `trigger '${rule.text}' held, but its capture failed: ${(error as Error).message}`);
    } finally {
      busy = false;
    }
  }

  function errors(): string[] {
    if (!asked) return [];
    return [
      ...(recorded ? [] : ['NODEOPS_RECORDER is off, so triggers are not evaluated']),
      ...(kept ? [] : ['triggers capture nothing: NODEOPS_ARTIFACTS_DIR names no directory that can be written']),
      ...rules.errors(),
      ...unlimited.map(({ text, figure }) => `trigger '${text}' never holds: ${figure} has no limit here`),
      ...failures.values(),
    ];
  }

  return {
    second(watch) {
      const found = rules.look();
      if (found !== inForce) adopt(found);
      unlimited = inForce.filter((rule) => !hasLimit(rule, watch));
      for (const rule of inForce) {
        if (!isTrue(rule, watch)) {
          holds.delete(rule.text);
          continue;
        }
        const since = holds.get(rule.text) ?? performance.now();
        holds.set(rule.text, since);
        if (busy || !kept || performance.now() - since < rule.forMs || !mayFire(kept, rule)) continue;
        void fire(rule, kept);
      }
    },
    state() {
      if (!asked) return null;
      const fired = kept ? lastFirings(kept) : new Map<string, number>();
      const states = inForce.map(({ text, source }) => {
        const at = fired.get(text);
        return { rule: text, source, firedAt: at === undefined ? null : new Date(at).toISOString() };
      });
      return { rules: states, lasting: resident, errors: errors() };
    },
  };
}

type Run = (subject: Subject, sink: ArtifactSink, control: CaptureControl) => Promise<void>;

async function runner({ capture, captureMs }: Rule): Promise<Run> {
  if (capture === 'stack') {
    const { readings } = await import('../../inspect/readings/readings.ts');
    return async (subject, sink) => sink.write(JSON.stringify((await readings.stack(subject, {})).data));
  }
  const { captureRunners } = await import('../../inspect/captures/runners.ts');
  const { parameters } = captures[capture];
  const standard = Object.fromEntries(
    Object.entries(parameters).map(([name, parameter]) => [name, (parameter as { default?: unknown }).default]),
  );
  const asked = { ...standard, ...('duration' in parameters ? { duration: captureMs } : {}) };
  const run = captureRunners[capture as CaptureName] as unknown as (...parts: unknown[]) => Promise<void>;
  return (subject, sink, control) => run(subject, asked, sink, control);
}

/** Whether what a rule is a share of is there, or not known yet. */
function hasLimit({ figure, ofLimit }: Rule, { recording }: Watch): boolean {
  const { limit } = figureOf(figuresByRule[figure]);
  return !ofLimit || limit === undefined || recording.get(limit) > 0 || recording.latest() === undefined;
}

/** False while the figure is not known. */
export function isTrue({ figure, below, value, ofLimit }: Rule, { recording, current }: Watch): boolean {
  const name = figuresByRule[figure];
  const { limit, unit, delay } = figureOf(name);
  const measured = name === 'delayP99Ms' ? recording.get(name) : (recording.latest()?.mean[name] ?? Number.NaN);
  // a stall under way is in no sample yet
  const now = delay ? Math.max(measured, current()?.durationMs ?? 0) : unit === 'share' ? measured * 100 : measured;
  const threshold = ofLimit && limit ? value * recording.get(limit) : value;
  return below ? now < threshold : now > threshold;
}
