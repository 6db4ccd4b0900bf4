/** From what was asked to the patch of the pod template. Pure: nothing is looked up. */
import { wishAnnotations } from '../../../protocol/annotations.ts';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Parsed } from '../../../protocol/parameters.ts';
import { isTriggersText, parseRules } from '../../../protocol/triggers.ts';
import type { WorkloadResource } from '../../targets/workloads.ts';
import type { wishFlags } from './flags.ts';
import type { Template } from './workload.ts';

/** Annotations of the template; null is taken away. */
export type Annotations = Readonly<Record<string, string | null>>;
export type Wishes = Parsed<Omit<typeof wishFlags, 'force'>>;

/** Throws `usage` for a value that the injector would not understand, or a container that is not there. */
export function enabling(wishes: Wishes, template: Template): Annotations {
  const given: Partial<Record<keyof typeof wishAnnotations, string>> = {
    inject: 'true',
    ...(wishes.containers === undefined ? {} : { containers: containerNames(wishes.containers, template) }),
    ...(wishes.port === undefined ? {} : { port: String(wishes.port) }),
    ...(wishes.sidecar ? { sidecar: 'true' } : {}),
    ...(wishes['artifacts-size'] === undefined ? {} : { 'artifacts-size': size(wishes['artifacts-size']) }),
    ...(wishes.image === undefined ? {} : { image: image(wishes.image) }),
    ...(wishes['read-only'] ? { 'read-only': 'true' } : {}),
    ...(wishes.triggers === undefined ? {} : { triggers: triggers(wishes.triggers) }),
    ...(wishes['triggers-configmap'] === undefined
      ? {}
      : { 'triggers-configmap': configMap(wishes['triggers-configmap']) }),
  };
  return changes(Object.fromEntries(Object.entries(given).map(([key, value]) => [keyOf(key), value])), template);
}

/** Takes away what `enable` writes. Where the namespace asks for all its pods, a "no" is written instead. */
export function disabling(template: Template, namespaceAsks: boolean): Annotations {
  const all = Object.fromEntries(Object.values(wishAnnotations).map((key) => [key, null]));
  return changes({ ...all, ...(namespaceAsks ? { [wishAnnotations.inject]: 'false' } : {}) }, template);
}

/** The patch that makes the changes, in strategic merge form. */
export function templatePatch(resource: WorkloadResource, annotations: Annotations): object {
  const template = { metadata: { annotations } };
  return { spec: resource === 'cronjobs' ? { jobTemplate: { spec: { template } } } : { template } };
}

/** Only what differs from what is there: an empty result changes nothing and rolls no pod. */
function changes(wanted: Annotations, { metadata }: Template): Annotations {
  const present = metadata?.annotations ?? {};
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => (present[key] ?? null) !== value));
}

function keyOf(wish: string): string {
  return wishAnnotations[wish as keyof typeof wishAnnotations];
}

function containerNames(text: string, { spec }: Template): string {
  const known = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name);
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new NodeopsError('usage', `the pod template has no container '${unknown}'`, {
      hint: `--containers with some of: ${known.join(', ')}`,
    });
  return names.join(',');
}

function size(text: string): string {
  if (/^(0|[1-9][0-9]{0,4}(Mi|Gi))$/.test(text)) return text;
  throw new NodeopsError(
    'usage',
    `--artifacts-size is '${text}'; it takes 0, or a whole number of Mi or Gi, such as 512Mi`,
  );
}

function image(text: string): string {
  if (/^[!-~]{1,512}$/.test(text)) return text;
  throw new NodeopsError('usage', `--image is '${text.slice(0, 64)}'; it takes an image reference`);
}

/** Rules are checked before they replace pods; agents leave out what makes no sense. */
function triggers(text: string): string {
  const { errors } = parseRules(text, '--triggers');
  if (errors[0] !== undefined) throw new NodeopsError('usage', errors[0], { hint: 'see docs/triggers.md' });
  if (isTriggersText(text)) return text;
  throw new NodeopsError('usage', '--triggers takes rules of at most 4096 characters without $', {
    hint: 'keep longer ones in a ConfigMap: --triggers-configmap NAME',
  });
}

function configMap(text: string): string {
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text)) return text;
  throw new NodeopsError('usage', `--triggers-configmap is '${text}'; it takes the name of a ConfigMap`);
}
