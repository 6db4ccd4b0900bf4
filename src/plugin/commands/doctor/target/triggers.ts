/** Rules that capture by themselves: asked for by the pod, in force in its processes, or why not. */
import { statusAnnotations, wishAnnotations } from '../../../../protocol/annotations.ts';
import type { TriggersState } from '../../../../protocol/history.ts';
import { type Finding, ok, type Remedy, skip, warn } from '../check.ts';
import { type PodObject, variable } from './pod-object.ts';

/** What one process says: null for no rules, undefined where it cannot tell. */
export interface Told {
  readonly name: string;
  readonly state: TriggersState | null | undefined;
}

/** Rules that are printed. */
const shown = 3;
const wishes = [
  { annotation: wishAnnotations.triggers, reaches: 'NODEOPS_TRIGGERS' },
  { annotation: wishAnnotations['triggers-configmap'], reaches: 'NODEOPS_TRIGGERS_FILE' },
] as const;

/** `again` is how the pod is made anew. */
export function triggersFinding(told: readonly Told[], pod: PodObject | undefined, again: Remedy): Finding {
  const unheard = pod && withoutEffect(pod);
  if (unheard)
    return warn(`${unheard} has no effect: ${whyUnheard(pod)}`, {
      say: 'pods are given their rules when they are created:',
      ...again,
    });
  const wrong = told.find(({ state }) => state && state.errors.length > 0);
  if (wrong?.state)
    return warn(
      `${told.length > 1 ? `${wrong.name}: ` : ''}${wrong.state.errors.join('; ')}; ${inForce(told)}`,
      remedyOf(wrong.state.errors),
    );
  if (told.length > 0 && told.every(({ state }) => state === undefined))
    return skip('the agent cannot tell: it is older than this plugin, or its process sleeps');
  return ok(inForce(told));
}

/** The annotation that no container has heard of; one that the injector ignored is told by what it left alone. */
function withoutEffect({ metadata: { annotations = {} }, spec }: PodObject): string | undefined {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const skipped = annotations[statusAnnotations.skipped] ?? '';
  return wishes.find(
    ({ annotation, reaches }) =>
      annotations[annotation] &&
      !skipped.includes(`${annotation} was ignored`) &&
      !containers.some((container) => variable(container, reaches)),
  )?.annotation;
}

function whyUnheard({ metadata: { annotations = {} } }: PodObject): string {
  if (annotations[statusAnnotations.injected] === undefined) return 'the pod was not injected';
  return 'it came after the pod was created, or the injector is older than it';
}

function remedyOf(errors: readonly string[]): Remedy {
  if (errors.some((error) => error.includes('NODEOPS_ARTIFACTS_DIR')))
    return { say: 'give captures room:', yaml: `annotations:\n  ${wishAnnotations['artifacts-size']}: 1Gi` };
  if (errors.some((error) => error.includes('ENOENT')))
    return { say: "create the ConfigMap, with the rules in its key 'triggers': they are taken up within minutes" };
  return { say: 'correct them, see docs/triggers.md: a ConfigMap is read again, an annotation with the next pod' };
}

function inForce(told: readonly Told[]): string {
  const rules = new Map<string, string | null>();
  for (const { state } of told)
    for (const { rule, firedAt } of state?.rules ?? []) {
      const before = rules.get(rule) ?? null;
      rules.set(
        rule,
        [before, firedAt]
          .filter((at) => at !== null)
          .sort()
          .at(-1) ?? null,
      );
    }
  if (rules.size === 0) return 'no rules';
  const texts = [...rules]
    .slice(0, shown)
    .map(([rule, at]) => `${rule} (${at === null ? 'not fired' : `fired ${at}`})`);
  const more = rules.size > shown ? `; and ${rules.size - shown} more` : '';
  const resting = told.filter(({ state }) => state?.rules.length && !state.lasting).length;
  const rest = resting > 0 ? `; in ${resting} of ${told.length} processes only while the agent is awake` : '';
  return `${rules.size} in force: ${texts.join('; ')}${more}${rest}`;
}
