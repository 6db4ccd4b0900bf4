/** MutatingAdmissionPolicy: for each binding that matches, the mutations in their order. */
import { isDeepStrictEqual } from 'node:util';
import { applyPatch } from '../api/patch.ts';
import { resourceNamed } from '../api/resources.ts';
import { ApiError, forbidden, internal } from '../api/status.ts';
import type { Store } from '../api/store.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { schemaOfObject } from '../apply/fields.ts';
import { atomicsIn, structuredMerge } from '../apply/merge.ts';
import { decodeFields } from '../openapi/fields.ts';
import type { AdmissionAttributes } from './attributes.ts';
import { evaluate, lazyVariables, withNumbers } from './cel.ts';
import { celContext, matchesConditions, matchesConstraints } from './matching.ts';
import type { Reinvocation } from './reinvocation.ts';

const policies = resourceNamed('mutatingadmissionpolicies');
const bindings = resourceNamed('mutatingadmissionpolicybindings');

/** The object as the policies leave it. Throws what the request is refused with. */
export function applyPolicies(
  store: Store,
  attributes: AdmissionAttributes,
  object: KubeObject,
  reinvocation: Reinvocation,
  { second, defaulted }: { second: boolean; defaulted: (object: KubeObject) => KubeObject },
): KubeObject {
  reinvocation.begin(object, second);
  const failures: string[] = [];
  let current = object;
  for (const policy of store.list(policies))
    for (const binding of store.list(bindings)) {
      if (binding.spec.policyName !== policy.metadata.name) continue;
      if (!matchesConstraints(policy.spec.matchConstraints, attributes, object, store)) continue;
      if (!matchesConstraints(binding.spec.matchResources, attributes, object, store)) continue;
      const names = `policy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
      const fail = (error: unknown) => {
        if (error instanceof ApiError) throw error;
        if (policy.spec.failurePolicy !== 'Ignore')
          failures.push(`${names} denied request: ${(error as Error).message}`);
      };
      const key = `${policy.metadata.name}/${binding.metadata.name}`;
      const before = current;
      try {
        const context = celContext(attributes, current, store);
        if (!matchesConditions(policy.spec.matchConditions, context)) continue;
        if (second && !reinvocation.isDue(key)) continue;
        context.variables = lazyVariables(policy.spec.variables ?? [], context);
        for (const mutation of policy.spec.mutations) {
          try {
            const now = { ...celContext(attributes, current, store), variables: context.variables };
            current = defaulted(mutate(mutation, current, now));
          } catch (error) {
            fail(error);
          }
        }
      } catch (error) {
        fail(error);
      }
      if (!isDeepStrictEqual(before, current)) reinvocation.changed();
      reinvocation.called(key, policy.spec.reinvocationPolicy);
    }
  // a policy whose own change is the last one is asked again, too
  if (current !== object) reinvocation.changed();
  reinvocation.end(current);
  if (failures.length > 0) throw refused(attributes, failures);
  return current;
}

/** One mutation. Throws an ApiError for a result that is no such object, which no failure policy lets pass. */
export function mutate(mutation: Json, object: KubeObject, context: Record<string, unknown>): KubeObject {
  if (mutation.patchType === 'ApplyConfiguration') {
    const config = withNumbers(evaluate('expression', mutation.applyConfiguration.expression, context)) as Json;
    const { apiVersion, kind } = object;
    const typed = { apiVersion, kind, ...config };
    const schema = schemaOfObject(object);
    const atomics = atomicsIn(schema, typed);
    if (atomics.length > 0)
      throw new Error(
        `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
      );
    return decoded(structuredMerge(schema, object, typed));
  }
  const operations = withNumbers(evaluate('expression', mutation.jsonPatch.expression, context)) as Json[];
  if (!Array.isArray(operations)) throw new Error('JSONPatchType.expression should evaluate to array');
  let patched: KubeObject;
  try {
    patched = applyPatch('application/json-patch+json', object, operations);
  } catch (error) {
    // a test that fails means that the patch is not for this object
    if ((error as Error).message.startsWith('testing value')) return object;
    throw new Error(`JSONPath: ${(error as Error).message}`);
  }
  return decoded(patched);
}

function decoded(object: KubeObject): KubeObject {
  const result = decodeFields(object);
  const [first] = result.unknown;
  if (first !== undefined) throw internal(`strict decoding error: unknown field "${first}"`);
  return result.object;
}

function refused({ resource, name }: AdmissionAttributes, failures: string[]): ApiError {
  const { details } = forbidden(resource.group, resource.resource, name, '');
  return new ApiError(403, 'Invalid', failures[0]!, {
    ...details,
    causes: failures.map((message) => ({ message })),
  });
}
