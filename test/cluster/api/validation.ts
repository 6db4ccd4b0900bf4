/** Validation of what users and tests get wrong, in apimachinery's words. Not complete: what is not named here is let through. */
import { isDeepStrictEqual } from 'node:util';
import { validateAdmission } from '../admission/validation.ts';
import type { Resource } from './resources.ts';
import { labelKeyProblem, labelValueProblem, matchesLabels, selectorRequirements } from './selectors.ts';
import { type ApiError, type Cause, field, invalid } from './status.ts';
import type { Json, KubeObject } from './types.ts';

type Causes = Required<Cause>[];

const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const isSubdomain = (text: string) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text);
const isLabel = (text: string) => /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);

export function validateNew(resource: Resource, object: KubeObject): ApiError | undefined {
  const causes: Causes = validateMetadata(resource, object);
  if (object.kind === 'Pod') causes.push(...validatePodSpec(object.spec, 'spec'));
  const workload = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'].includes(object.kind);
  if (workload) causes.push(...validateWorkload(object));
  if (workload || object.kind === 'Job') causes.push(...validateTemplate(object));
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
    if (!isLabel(name)) causes.push(field.invalid('metadata.name', name, label));
    if (name.length > 63) causes.push(field.invalid('metadata.name', name, 'must be no more than 63 bytes'));
  } else if (!isSubdomain(name)) causes.push(field.invalid('metadata.name', name, subdomain));
  for (const [key, value] of Object.entries<Json>(metadata.labels ?? {})) {
    const problem = labelKeyProblem(key);
    if (problem) causes.push(field.invalid('metadata.labels', key, problem));
    const wrong = labelValueProblem(String(value));
    if (wrong) causes.push(field.invalid('metadata.labels', value, wrong));
  }
  return causes;
}

function validatePodSpec(spec: Json, path: string): Causes {
  const causes: Causes = [];
  if (!spec?.containers?.length) causes.push(field.required(`${path}.containers`));
  const names = new Set<string>();
  const volumes = new Set((spec?.volumes ?? []).map((v: Json) => v.name));
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'])
    (spec?.[list] ?? []).forEach((container: Json, i: number) => {
      const at = `${path}.${list}[${i}]`;
      if (!container.name) causes.push(field.required(`${at}.name`));
      else if (!isLabel(container.name)) causes.push(field.invalid(`${at}.name`, container.name, label));
      else if (names.has(container.name)) causes.push(field.duplicate(`${at}.name`, container.name));
      names.add(container.name);
      if (!container.image) causes.push(field.required(`${at}.image`));
      (container.volumeMounts ?? []).forEach((mount: Json, j: number) => {
        if (!volumes.has(mount.name)) causes.push(field.notFound(`${at}.volumeMounts[${j}].name`, mount.name));
        if (!mount.mountPath) causes.push(field.required(`${at}.volumeMounts[${j}].mountPath`));
      });
      (container.env ?? []).forEach((variable: Json, j: number) => {
        if (!variable.name) causes.push(field.required(`${at}.env[${j}].name`));
      });
    });
  if (!['Always', 'OnFailure', 'Never'].includes(spec?.restartPolicy))
    causes.push(field.notSupported(`${path}.restartPolicy`, spec?.restartPolicy, ['Always', 'OnFailure', 'Never']));
  return causes;
}

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
        ...rest
      } = spec;
      return { ...rest, containers: strip(containers), initContainers: strip(initContainers) };
    };
    // undefined fields do not count: compare what would be sent
    const plain = (object: KubeObject) => JSON.parse(JSON.stringify(frozen(object)));
    if (!isDeepStrictEqual(plain(before), plain(after)))
      return invalid('', 'Pod', name, [field.forbidden('spec', podRule)]);
  }
  const selectorFixed = ['deployments', 'replicasets', 'statefulsets', 'daemonsets'].includes(resource.resource);
  if (selectorFixed && !isDeepStrictEqual(before.spec.selector, after.spec.selector))
    return invalid(resource.group, after.kind, name, [
      field.invalid('spec.selector', after.spec.selector, 'field is immutable'),
    ]);
  return validateNew(resource, after);
}

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
    if (!container.name) causes.push(field.required(`${path}[${i}].name`));
    else if (!isLabel(container.name)) causes.push(field.invalid(`${path}[${i}].name`, container.name, label));
    else if (names.has(container.name)) causes.push(field.duplicate(`${path}[${i}].name`, container.name));
    names.add(container.name);
    if (!container.image) causes.push(field.required(`${path}[${i}].image`));
    const target = container.targetContainerName;
    if (target && !before.spec.containers.some((c: Json) => c.name === target))
      causes.push(field.notFound(`${path}[${i}].targetContainerName`, target));
    for (const banned of ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'])
      if (container[banned])
        causes.push(field.forbidden(`${path}[${i}].${banned}`, 'cannot be set for an Ephemeral Container'));
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
