import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/inject/settings.ts';
import { undeclaredVariables } from '../cluster/admission/cel.ts';
import { clusters, type Manifest, only, template } from '../helm/helm.ts';
import { cases } from './cases.ts';
import { evaluatePolicy, messagesAsCalls } from './cel.ts';
import { chartValues } from './chart-values.ts';

const rendered = new Map<string, Promise<Manifest[]>>();

/** The policy for pods that ask, or for those whose namespace does, rendered by the real helm. */
async function policyOf(settings: Settings, namespaceAsks: boolean): Promise<Manifest> {
  const values = { engine: 'policy', ...chartValues(settings) };
  const key = JSON.stringify(values);
  if (!rendered.has(key)) rendered.set(key, template(clusters['1.36']!, values));
  const name = namespaceAsks ? 'nodeops-inject-namespace' : 'nodeops-inject';
  const policy = only(await rendered.get(key)!, 'MutatingAdmissionPolicy', name);
  // the chart's version stands where the table has one of its own
  return JSON.parse(
    JSON.stringify(policy).replaceAll(
      `value: \\"${policy.metadata.labels!['app.kubernetes.io/version']}\\"`,
      `value: \\"${settings.version}\\"`,
    ),
  );
}

describe.each(cases)('$file: $name', ({ pod, settings, namespaceAsks, out }) => {
  it('gives the pod of the table', async () => {
    const policy = await policyOf(settings, namespaceAsks);
    expect(evaluatePolicy(policy, pod) ?? pod).toEqual(out);
  });

  it('changes nothing the second time', async () => {
    const policy = await policyOf(settings, namespaceAsks);
    expect(evaluatePolicy(policy, out) ?? out).toEqual(out);
  });
});

it('has variables that are declared before they are used', async () => {
  const { spec } = await policyOf({ ...cases[0]!.settings, tokenSecret: { name: 't', key: 'k' } }, false);
  const declared: string[] = [];
  for (const { name, expression } of spec.variables) {
    expect(undeclaredVariables(expression, declared), name).toEqual([]);
    declared.push(name);
  }
  expect(undeclaredVariables(spec.mutations[0].jsonPatch.expression, declared)).toEqual([]);
  expect(undeclaredVariables('variables.a + variables.b', ['a'])).toEqual(['b']);
});

describe('the evaluation of policies', () => {
  it('writes messages as calls, whatever stands in their fields', () => {
    expect(messagesAsCalls('[JSONPatch{op: "a, b: {c}", value: Object.spec{x: a ? [1, 2] : f(y, z), y: {}}}]')).toBe(
      '[message({"op": dyn("a, b: {c}"), "value": dyn(message({"x": dyn(a ? [1, 2] : f(y, z)), "y": dyn({})}))})]',
    );
    expect(messagesAsCalls('Object.spec{}')).toBe('message({})');
  });

  it('refuses a message in a field of another type, as the API server does', () => {
    expect(() => messagesAsCalls('Object.spec{volumes: [Object.spec.volume{}]}')).toThrow(
      'Object.spec.volume in field volumes of Object.spec',
    );
  });

  it('fails where the patch does not apply', () => {
    const policy = {
      spec: {
        matchConditions: [],
        variables: [],
        mutations: [{ jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/spec/x"}]' } }],
      },
    };
    expect(() => evaluatePolicy(policy as never, { spec: { containers: [] } })).toThrow('the patch does not apply');
  });
});
