/** Which requests a policy or a webhook is for. */
import { resourceNamed } from '../api/resources.ts';
import { matchesLabels, selectorRequirements } from '../api/selectors.ts';
import type { Store } from '../api/store.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { type AdmissionAttributes, requestOf } from './attributes.ts';
import { evaluate, withIntegers } from './cel.ts';

/** Configurations of admission itself are never subject to it: a mistake there could not be mended any more. */
export function isExempt({ resource }: AdmissionAttributes): boolean {
  return resource.group === 'admissionregistration.k8s.io' && /webhook|admissionpol/.test(resource.resource);
}

/** `matchConstraints` of a policy, `matchResources` of a binding. */
export function matchesConstraints(
  constraints: Json,
  attributes: AdmissionAttributes,
  object: KubeObject,
  store: Store,
): boolean {
  const named = (rule: Json) => !rule.resourceNames?.length || rule.resourceNames.includes(attributes.name);
  const matches = (rule: Json) => named(rule) && matchesRule(rule, attributes);
  const { resourceRules, excludeResourceRules = [], namespaceSelector, objectSelector } = constraints ?? {};
  if (resourceRules?.length && !resourceRules.some(matches)) return false;
  if (excludeResourceRules.some(matches)) return false;
  return matchesSelectors({ namespaceSelector, objectSelector }, attributes, object, store);
}

/** One of `rules` of a webhook, or of `resourceRules` of a policy. */
export function matchesRule(rule: Json, { operation, resource, subresource }: AdmissionAttributes): boolean {
  const has = (list: string[], value: string) => list.includes('*') || list.includes(value);
  const { operations, apiGroups, apiVersions, resources, scope = '*' } = rule;
  if (!has(operations, operation) || !has(apiGroups, resource.group) || !has(apiVersions, resource.version))
    return false;
  if (scope !== '*' && (scope === 'Namespaced') !== resource.namespaced) return false;
  return resources.some((pattern: string) => {
    if (pattern === '*/*') return true;
    const [main, sub] = pattern.split('/');
    if (sub !== subresource && !(sub === '*' && subresource)) return false;
    return main === '*' || main === resource.resource;
  });
}

export function matchesSelectors(
  { namespaceSelector, objectSelector }: Json,
  { resource, namespace, oldObject }: AdmissionAttributes,
  object: KubeObject,
  store: Store,
): boolean {
  const labels = (one: KubeObject | undefined, selector: Json) =>
    one !== undefined && matchesLabels(selectorRequirements(selector), one.metadata.labels);
  if (!isEmpty(objectSelector) && !labels(object, objectSelector) && !labels(oldObject, objectSelector)) return false;
  if (isEmpty(namespaceSelector)) return true;
  // what is in no namespace is not selected by one, except a namespace itself
  if (resource.kind === 'Namespace') return labels(object, namespaceSelector);
  if (!resource.namespaced) return true;
  return labels(store.get(resourceNamed('namespaces'), undefined, namespace!), namespaceSelector);
}

function isEmpty(selector: Json): boolean {
  return !selector?.matchLabels && !selector?.matchExpressions?.length;
}

/** What expressions can name. There is no `authorizer`, and no `params`: policies with parameters are refused. */
export function celContext(attributes: AdmissionAttributes, object: KubeObject, store: Store): Record<string, unknown> {
  const namespace = attributes.namespace && store.get(resourceNamed('namespaces'), undefined, attributes.namespace);
  return withIntegers({
    object,
    oldObject: attributes.oldObject ?? null,
    request: { ...requestOf(attributes, ''), options: attributes.options },
    namespaceObject: namespace || null,
  }) as Record<string, unknown>;
}

/** False where one of the conditions is; throws when none is and one cannot be evaluated. */
export function matchesConditions(conditions: Json[] = [], context: Record<string, unknown>): boolean {
  const errors: unknown[] = [];
  for (const { name, expression } of conditions) {
    try {
      const value = evaluate(`matchCondition '${name}'`, expression, context);
      if (value === false) return false;
      if (value !== true) throw new Error(`matchCondition '${name}' is no bool`);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return true;
}
