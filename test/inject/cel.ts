/**
 * Evaluates a rendered MutatingAdmissionPolicy without a cluster around it, on the pods of the table as they stand there. It is not the
 * API server's CEL: test/e2e/inject.test.ts applies the same table to that one.
 */
import { applyPatch } from 'rfc6902';
import type { Pod } from '../../src/inject/pod.ts';
import { evaluate, lazyVariables, withIntegers, withNumbers } from '../cluster/admission/cel.ts';
import type { Manifest } from '../helm/helm.ts';

export { messagesAsCalls } from '../cluster/admission/cel.ts';

/** A policy's answer: the pod as patched, or undefined where a match condition says no. */
export function evaluatePolicy(policy: Manifest, pod: Pod): Pod | undefined {
  const { matchConditions, variables: declared, mutations } = policy.spec;
  const object = withIntegers(pod);
  for (const { name, expression } of matchConditions as { name: string; expression: string }[]) {
    const matches = evaluate(`match condition ${name}`, expression, { object });
    if (typeof matches !== 'boolean') throw new Error(`match condition ${name} is no bool`);
    if (!matches) return undefined;
  }
  const variables = lazyVariables(declared, { object });
  // those that no mutation of this pod needs must hold, too
  Object.values(variables);
  const patched = structuredClone(pod);
  for (const { jsonPatch } of mutations as { jsonPatch: { expression: string } }[]) {
    const patch = withNumbers(evaluate('mutation', jsonPatch.expression, { object, variables })) as never;
    const failed = applyPatch(patched, patch).filter((error) => error !== null);
    if (failed.length > 0) throw new Error(`the patch does not apply: ${failed[0]} in ${JSON.stringify(patch)}`);
  }
  return patched;
}
