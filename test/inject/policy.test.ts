import { describe, expect, it } from 'vitest';
import type { Settings } from '../../src/inject/settings.ts';
import { undeclaredVariables } from '../cluster/admission/cel.ts';
import { clusters, type Manifest, only, template } from '../helm/helm.ts';
import { cases } from './cases.ts';
import { evaluatePolicy, messagesAsCalls } from './cel.ts';
import { chartValues } from './chart-values.ts';

/** Those of the API server's environment (k8s.io/apiserver/pkg/cel/environment) that the policy may use, with the version that brought them. */
const kubernetesFunctions = new Set([
  ...['has', 'size', 'string', 'int', 'exists', 'filter', 'map', 'contains', 'startsWith', 'endsWith', 'matches'],
  // 1.28: optional types
  ...['orValue', 'hasValue'],
  // 1.29: strings, version 2
  ...['split', 'trim', 'join', 'replace', 'substring'],
  // 1.34: lists, version 3
  ...['lists.range', 'flatten'],
]);

/** Names before a parenthesis, `lists.range` whole, as it is no function of a value. */
function calledFunctions(expression: string): string[] {
  const bare = expression.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""').replaceAll(/\bin \(/g, '(');
  return [...bare.matchAll(/(lists\.range|[A-Za-z_]\w*) ?\(/g)].map(([, name]) => name!);
}

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

it('calls nothing that the CEL of Kubernetes 1.36 does not have', async () => {
  const { spec } = await policyOf({ ...cases[0]!.settings, tokenSecret: { name: 't', key: 'k' } }, false);
  const expressions = [...spec.matchConditions, ...spec.variables, spec.mutations[0].jsonPatch];
  const called = expressions.flatMap(({ expression }: { expression: string }) => calledFunctions(expression));
  expect([...new Set(called)].filter((name) => !kubernetesFunctions.has(name))).toEqual([]);
  expect(calledFunctions('a.b(c["x()"].d(1)) + e.f (2)')).toEqual(['b', 'd', 'f']);
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
