/** Validation of what users and tests get wrong, in apimachinery's words. Not complete: what is not named here is let through. */
import { isDeepStrictEqual } from 'node:util';
import { validateAdmission } from '../admission/validation.ts';
import { labelProblem, validateEphemeralContainer, validatePodSpec } from './podspec.ts';
import type { Resource } from './resources.ts';
import { labelKeyProblem, labelValueProblem, matchesLabels, selectorRequirements } from './selectors.ts';
import { type ApiError, type Cause, field, invalid } from './status.ts';
import type { Json, KubeObject } from './types.ts';

type Causes = Required<Cause>[];

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const isSubdomain = (text: string) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);

export function validateNew(resource: Resource, object: KubeObject): ApiError | undefined {
  const causes: Causes = validateMetadata(resource, object);
  if (object.kind === 'Pod') causes.push(...validatePodSpec(object.spec, 'spec'));
  const workload = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'].includes(object.kind);
  if (workload) causes.push(...validateWorkload(object));
  if (workload || object.kind === 'Job') causes.push(...validateTemplate(object));
  if (object.kind === 'ConfigMap' || object.kind === 'Secret') causes.push(...validateData(object));
  causes.push(...validateAdmission(object));
  if (causes.length === 0) return undefined;
  return invalid(resource.group, object.kind, object.metadata.name ?? '', causes);
}

function validateMetadata(resource: Resource, { metadata }: KubeObject): Causes {
  const causes: Causes = [];
  const { name } = metadata;
  if (!name) causes.push(field.required('metadata.name', 'name or generateName is required'));
  else if (resource.group === 'rbac.authorization.k8s.io') {
    if (/[/%]|^\.{1,2}$/.test(name)) causes.push(field.invalid('metadata.name', name, "may not contain '/'"));
  } else if (['namespaces', 'services'].includes(resource.resource)) {
    const problem = labelProblem(name);
    if (problem) causes.push(field.invalid('metadata.name', name, problem));
  } else if (name.length > 253) causes.push(field.invalid('metadata.name', name, 'must be no more than 253 bytes'));
  else if (!isSubdomain(name)) causes.push(field.invalid('metadata.name', name, subdomain));
  for (const [key, value] of Object.entries<Json>(metadata.labels ?? {})) {
    const problem = labelKeyProblem(key);
    if (problem) causes.push(field.invalid('metadata.labels', key, problem));
    const wrong = labelValueProblem(String(value));
    if (wrong) causes.push(field.invalid('metadata.labels', value, wrong));
  }
  const annotations = Object.entries<string>(metadata.annotations ?? {});
  for (const [key] of annotations) {
    const problem = labelKeyProblem(key.toLowerCase());
    if (problem) causes.push(field.invalid('metadata.annotations', key, problem));
  }
  if (bytesOf(annotations) > annotationBytes) causes.push(field.tooLong('metadata.annotations', annotationBytes));
  return causes;
}

const annotationBytes = 256 * 1024;
/** Of the data of a ConfigMap or a Secret. */
const dataBytes = 1024 * 1024;

function bytesOf(entries: readonly [string, string][]): number {
  return entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}

function validateData({ kind, data = {}, binaryData = {} }: KubeObject): Causes {
  const causes: Causes = [];
  const values = Object.entries<string>(kind === 'Secret' ? {} : data);
  const encoded = Object.entries<string>(kind === 'Secret' ? data : binaryData);
  for (const [key] of [...values, ...encoded])
    if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key)) causes.push(field.invalid(`data[${key}]`, key, configKey));
  const bytes = (text: string) => Buffer.byteLength(text, 'base64');
  const size = [...values.map(([, text]) => Buffer.byteLength(text)), ...encoded.map(([, text]) => bytes(text))];
  if (size.reduce((sum, one) => sum + one, 0) > dataBytes)
    causes.push(field.tooLong(kind === 'Secret' ? 'data' : '', dataBytes));
  return causes;
}

const configKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

function validateWorkload({ spec, kind }: KubeObject): Causes {
  const causes: Causes = [];
  const labels = spec?.template?.metadata?.labels;
  if (!spec?.selector) causes.push(field.required('spec.selector'));
  else if (!matchesLabels(selectorRequirements(spec.selector), labels))
    causes.push(
      field.invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'),
    );
  if (spec?.replicas < 0)
    causes.push(field.invalid('spec.replicas', spec.replicas, 'must be greater than or equal to 0'));
  if (spec?.template?.spec?.restartPolicy !== 'Always' && spec?.template?.spec)
    causes.push(field.notSupported('spec.template.spec.restartPolicy', spec.template.spec.restartPolicy, ['Always']));
  void kind;
  return causes;
}

function validateTemplate({ spec, kind }: KubeObject): Causes {
  const causes = validatePodSpec(spec?.template?.spec, 'spec.template.spec');
  if (kind === 'Job' && spec?.template?.spec?.restartPolicy === 'Always')
    causes.push(field.notSupported('spec.template.spec.restartPolicy', 'Always', ['OnFailure', 'Never']));
  return causes;
}

const podRule =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validateUpdate(resource: Resource, before: KubeObject, after: KubeObject): ApiError | undefined {
  const { name } = after.metadata;
  if (resource.resource === 'pods') {
    const frozen = ({ spec }: KubeObject) => {
      const strip = (list: Json[] | undefined) => list?.map(({ image: _, ...rest }) => rest);
      const {
        containers,
        initContainers,
        activeDeadlineSeconds: _,
        tolerations: __,
        ephemeralContainers: ___,
        schedulingGates: ____,
        ...rest
      } = spec;
      return { ...rest, containers: strip(containers), initContainers: strip(initContainers) };
    };
    // undefined fields do not count: compare what would be sent
    const plain = (object: KubeObject) => JSON.parse(JSON.stringify(frozen(object)));
    if (!isDeepStrictEqual(plain(before), plain(after)))
      return invalid('', 'Pod', name, [field.forbidden('spec', podRule)]);
    const gates = ({ spec }: KubeObject): string[] => (spec.schedulingGates ?? []).map((gate: Json) => gate.name);
    if (gates(after).some((gate) => !gates(before).includes(gate)))
      return invalid('', 'Pod', name, [field.forbidden('spec.schedulingGates', 'only deletion is allowed, ...')]);
  }
  const selectorFixed = ['deployments', 'replicasets', 'statefulsets', 'daemonsets'].includes(resource.resource);
  if (selectorFixed && !isDeepStrictEqual(before.spec.selector, after.spec.selector))
    return invalid(resource.group, after.kind, name, [
      field.invalid('spec.selector', after.spec.selector, 'field is immutable'),
    ]);
  const fixed = fixedField(before, after);
  if (fixed) return invalid(resource.group, after.kind, name, [fixed]);
  return validateNew(resource, after);
}

/** What may not change in objects of that kind; undefined where it has not. */
function fixedField(before: KubeObject, after: KubeObject): Required<Cause> | undefined {
  const differs = (at: (object: KubeObject) => Json) =>
    !isDeepStrictEqual(JSON.parse(JSON.stringify(at(before) ?? null)), JSON.parse(JSON.stringify(at(after) ?? null)));
  switch (after.kind) {
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      if (differs(({ roleRef }) => roleRef)) return field.invalid('roleRef', after.roleRef, 'cannot change roleRef');
      break;
    case 'ConfigMap':
    case 'Secret':
      if (before.immutable && differs(({ data }) => data))
        return field.forbidden('data', 'field is immutable when `immutable` is set');
      if (differs(({ type }) => type)) return field.invalid('type', after.type, 'field is immutable');
      break;
    case 'Job':
      if (differs(({ spec }) => spec.template?.spec))
        return field.invalid('spec.template', after.spec.template, 'field is immutable');
      break;
    case 'StatefulSet': {
      const { replicas: _, template: __, updateStrategy: ___, ...rest } = after.spec;
      if (Object.keys(rest).some((key) => !mutableOfStatefulSets.has(key) && differs(({ spec }) => spec[key])))
        return field.forbidden('spec', statefulSetRule);
      break;
    }
  }
  return undefined;
}

const mutableOfStatefulSets = new Set([
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
]);
const statefulSetRule =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

/** Ephemeral containers can only be added. The text of a change is the server's own diff of its internal form. */
export function validateEphemeral(before: KubeObject, after: KubeObject): ApiError | undefined {
  const existing = new Map<string, Json>((before.spec.ephemeralContainers ?? []).map((c: Json) => [c.name, c]));
  const added: Json[] = after.spec.ephemeralContainers ?? [];
  const path = 'spec.ephemeralContainers';
  const causes: Causes = [];
  for (const [name, container] of existing) {
    const now = added.find((c) => c.name === name);
    if (!now) causes.push(field.forbidden(path, `existing ephemeral containers "${name}" may not be removed\n`));
    else if (!isDeepStrictEqual(container, now))
      causes.push(
        field.forbidden(path, `existing ephemeral containers "${name}" may not be changed\n${diff(container, now)}`),
      );
  }
  const names = new Set([...before.spec.containers, ...(before.spec.initContainers ?? [])].map((c: Json) => c.name));
  added.forEach((container, i) => {
    causes.push(...validateEphemeralContainer(container, `${path}[${i}]`, names, before.spec));
  });
  return causes.length ? invalid('', 'Pod', before.metadata.name, causes) : undefined;
}

/** A unified diff with three lines of context over indented JSON with the names of Go's fields, as the server prints it. */
function diff(before: Json, after: Json): string {
  const [a, b] = [before, after].map((value) => JSON.stringify(internalForm(value), null, 1).split('\n')) as [
    string[],
    string[],
  ];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1];
  // the server looks for the shortest script: only the first run of differences is shown with its context
  let [runA, runB] = [start, start];
  while (runA < endA && runB < endB && a[runA] !== b[runB]) [runA, runB] = [runA + 1, runB + 1];
  const from = Math.max(0, start - 3);
  const context = a.slice(runA, runA + 3);
  const size = (end: number) => end - from + context.length;
  return [
    `@@ -${from + 1},${size(runA)} +${from + 1},${size(runB)} @@`,
    ...a.slice(from, start).map((line) => ` ${line}`),
    ...a.slice(start, runA).map((line) => `-${line}`),
    ...b.slice(start, runB).map((line) => `+${line}`),
    ...context.map((line) => ` ${line}`),
    '',
  ].join('\n');
}

function internalForm(container: Json): Json {
  const { name, image, command = null, args = null, ...rest } = container;
  const upper = Object.entries(rest).map(([key, value]) => [key[0]!.toUpperCase() + key.slice(1), value]);
  return { Name: name, Image: image, Command: command, Args: args, ...Object.fromEntries(upper) };
}
