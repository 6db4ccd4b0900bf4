/** What a policy, a binding or a webhook must look like to be stored. */
import { labelKeyProblem } from '../api/selectors.ts';
import { type Cause, field } from '../api/status.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { compileProblem, undeclaredVariables } from './cel.ts';

type Causes = Required<Cause>[];

/** For the kinds of admission; empty for others. */
export function validateAdmission(object: KubeObject): Causes {
  if (object.kind === 'MutatingAdmissionPolicy') return validatePolicy(object.spec ?? {});
  if (object.kind === 'MutatingAdmissionPolicyBinding')
    return object.spec?.policyName ? [] : [field.required('spec.policyName')];
  if (object.kind === 'MutatingWebhookConfiguration')
    return (object.webhooks ?? []).flatMap((webhook: Json, i: number) => [
      ...validateWebhook(webhook, `webhooks[${i}]`),
      ...duplicates(object.webhooks, i, `webhooks[${i}].name`),
    ]);
  return [];
}

function validatePolicy(spec: Json): Causes {
  const causes: Causes = [];
  const { matchConstraints, failurePolicy, reinvocationPolicy, mutations = [], variables = [] } = spec;
  if (spec.paramKind)
    causes.push(field.forbidden('spec.paramKind', 'the embedded cluster has no policies with parameters'));
  if (!matchConstraints) causes.push(field.required('spec.matchConstraints'));
  else if (!matchConstraints.resourceRules?.length) causes.push(field.required('spec.matchConstraints.resourceRules'));
  else
    causes.push(
      ...validateRules(matchConstraints.resourceRules, 'spec.matchConstraints.resourceRules', policyOperations),
    );
  causes.push(...choice(failurePolicy, 'spec.failurePolicy', ['Fail', 'Ignore']));
  causes.push(...choice(reinvocationPolicy, 'spec.reinvocationPolicy', ['IfNeeded', 'Never']));
  causes.push(...validateConditions(spec.matchConditions, 'spec.matchConditions'));
  const names = variables.map(({ name }: Json) => name);
  variables.forEach((variable: Json, i: number) => {
    const at = `spec.variables[${i}]`;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable.name ?? ''))
      causes.push(field.invalid(`${at}.name`, variable.name ?? '', 'name is not a valid CEL identifier'));
    causes.push(
      ...validateExpression(variable.expression, `${at}.expression`, names.slice(0, i)),
      ...duplicates(variables, i, `${at}.name`),
    );
  });
  if (mutations.length === 0) causes.push(field.required('spec.mutations', 'mutations must contain at least one item'));
  mutations.forEach((mutation: Json, i: number) => {
    const at = `spec.mutations[${i}]`;
    const wrong = choice(mutation.patchType, `${at}.patchType`, ['ApplyConfiguration', 'JSONPatch']);
    causes.push(...wrong);
    if (wrong.length > 0) return;
    const [own, other] =
      mutation.patchType === 'JSONPatch' ? ['jsonPatch', 'applyConfiguration'] : ['applyConfiguration', 'jsonPatch'];
    if (mutation[other!])
      causes.push(field.invalid(`${at}.${other}`, {}, `must be omitted when patchType is ${mutation.patchType}`));
    if (!mutation[own!])
      causes.push(field.required(`${at}.${own}`, `must be specified when patchType is ${mutation.patchType}`));
    else causes.push(...validateExpression(mutation[own!].expression, `${at}.${own}.expression`, names));
  });
  return causes;
}

function validateWebhook(webhook: Json, at: string): Causes {
  const causes: Causes = [];
  const { name = '', clientConfig = {}, sideEffects, admissionReviewVersions, timeoutSeconds } = webhook;
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?){2,}$/.test(name))
    causes.push(field.invalid(`${at}.name`, name, 'should be a domain with at least three segments separated by dots'));
  if (!admissionReviewVersions?.length)
    causes.push(field.required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'));
  else if (!admissionReviewVersions.includes('v1'))
    causes.push(
      field.invalid(
        `${at}.admissionReviewVersions`,
        admissionReviewVersions,
        'must include at least one of v1, v1beta1',
      ),
    );
  if (!sideEffects) causes.push(field.required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'));
  else causes.push(...choice(sideEffects, `${at}.sideEffects`, ['None', 'NoneOnDryRun']));
  causes.push(...choice(webhook.failurePolicy, `${at}.failurePolicy`, ['Fail', 'Ignore']));
  causes.push(...choice(webhook.matchPolicy, `${at}.matchPolicy`, ['Equivalent', 'Exact']));
  causes.push(...choice(webhook.reinvocationPolicy, `${at}.reinvocationPolicy`, ['IfNeeded', 'Never']));
  if (timeoutSeconds < 1 || timeoutSeconds > 30)
    causes.push(
      field.invalid(`${at}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds'),
    );
  causes.push(...validateClient(clientConfig, `${at}.clientConfig`));
  causes.push(...validateRules(webhook.rules ?? [], `${at}.rules`, [...policyOperations, 'DELETE', 'CONNECT']));
  causes.push(...validateConditions(webhook.matchConditions, `${at}.matchConditions`));
  return causes;
}

function validateClient({ url, service, caBundle }: Json, at: string): Causes {
  const causes: Causes = [];
  if ((url === undefined) === (service === undefined))
    causes.push(field.required(at, 'exactly one of url or service is required'));
  if (url !== undefined && !URL.canParse(url)) causes.push(field.required(`${at}.url`, 'url must be a valid URL'));
  else if (url !== undefined && new URL(url).protocol !== 'https:')
    causes.push(
      field.invalid(`${at}.url`, new URL(url).protocol.slice(0, -1), "'https' is the only allowed URL scheme"),
    );
  if (service) {
    for (const name of ['name', 'namespace']) if (!service[name]) causes.push(field.required(`${at}.service.${name}`));
    if (service.path !== undefined && !service.path.startsWith('/'))
      causes.push(field.invalid(`${at}.service.path`, service.path, "must start with a '/'"));
  }
  if (caBundle && !Buffer.from(caBundle, 'base64').toString().includes('-----BEGIN CERTIFICATE-----'))
    causes.push(
      field.invalid(`${at}.caBundle`, caBundle, 'unable to load root certificates: unable to parse bytes as PEM block'),
    );
  return causes;
}

const policyOperations = ['*', 'CREATE', 'UPDATE'];

function validateRules(rules: Json[], at: string, operations: readonly string[]): Causes {
  return rules.flatMap((rule, i) => {
    const causes: Causes = [];
    for (const name of ['operations', 'apiGroups', 'apiVersions', 'resources'])
      if (!rule[name]?.length) causes.push(field.required(`${at}[${i}].${name}`));
    (rule.operations ?? []).forEach((operation: string, j: number) => {
      causes.push(...choice(operation, `${at}[${i}].operations[${j}]`, operations));
    });
    return [...causes, ...choice(rule.scope, `${at}[${i}].scope`, ['*', 'Cluster', 'Namespaced'])];
  });
}

function validateConditions(conditions: Json[] = [], at: string): Causes {
  return conditions.flatMap(({ name, expression }, i) => {
    const named = name && labelKeyProblem(name) === undefined;
    return [
      ...(named ? [] : [field.required(`${at}[${i}].name`)]),
      ...duplicates(conditions, i, `${at}[${i}].name`),
      ...validateExpression(expression, `${at}[${i}].expression`),
    ];
  });
}

/** `names`: the variables that are declared before it. */
function validateExpression(expression: string | undefined, at: string, names: readonly string[] = []): Causes {
  if (!expression?.trim()) return [field.required(at)];
  const [unknown] = undeclaredVariables(expression, names);
  const problem = unknown === undefined ? compileProblem(expression) : `undefined field '${unknown}'`;
  return problem === undefined ? [] : [field.invalid(at, expression, `compilation failed: ${problem}`)];
}

function choice(value: string | undefined, at: string, choices: readonly string[]): Causes {
  if (!value) return [field.required(at)];
  return choices.includes(value) ? [] : [field.notSupported(at, value, [...choices])];
}

function duplicates(list: readonly Json[], i: number, at: string): Causes {
  return list.findIndex(({ name }) => name === list[i].name) < i ? [field.duplicate(at, list[i].name)] : [];
}
