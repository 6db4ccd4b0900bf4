/** Validation of what a pod's spec and an ephemeral container say, in the words of Kubernetes' pkg/apis/core/validation. */
import { parseQuantity } from '../kubelet/quantity.ts';
import { type Cause, field } from './status.ts';
import type { Json } from './types.ts';

type Causes = Required<Cause>[];

const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

export function labelProblem(text: string): string | undefined {
  if (text.length > 63) return 'must be no more than 63 bytes';
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text) ? undefined : label;
}

const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export function validatePodSpec(spec: Json, path: string): Causes {
  const causes: Causes = [];
  if (!spec?.containers?.length) causes.push(field.required(`${path}.containers`));
  causes.push(...validateVolumes(spec?.volumes ?? [], `${path}.volumes`));
  const names = new Set<string>();
  const volumes = new Set<string>((spec?.volumes ?? []).map((v: Json) => v.name));
  for (const list of containerLists)
    (spec?.[list] ?? []).forEach((container: Json, i: number) => {
      causes.push(...validateContainer(container, `${path}.${list}[${i}]`, names, volumes));
    });
  if (!['Always', 'OnFailure', 'Never'].includes(spec?.restartPolicy))
    causes.push(field.notSupported(`${path}.restartPolicy`, spec?.restartPolicy, ['Always', 'OnFailure', 'Never']));
  if (spec?.shareProcessNamespace && spec.hostPID)
    causes.push(
      field.invalid(
        `${path}.securityContext.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  causes.push(...validateUser(spec?.securityContext, `${path}.securityContext`));
  return causes;
}

function validateVolumes(volumes: Json[], path: string): Causes {
  const causes: Causes = [];
  const names = new Set<string>();
  volumes.forEach(({ name, ...sources }, i) => {
    const at = `${path}[${i}]`;
    causes.push(...validateName(name, `${at}.name`, names));
    const [kind, ...others] = Object.keys(sources);
    for (const other of others)
      causes.push(field.forbidden(`${at}.${other}`, 'may not specify more than 1 volume type'));
    const source = kind ? sources[kind] : {};
    const required = { configMap: 'name', secret: 'secretName', image: 'reference', hostPath: 'path' }[kind ?? ''];
    if (required && !source[required]) causes.push(field.required(`${at}.${kind}.${required}`));
    for (const { serviceAccountToken: token } of source.sources ?? [])
      if (token?.expirationSeconds < 600)
        causes.push(
          field.invalid(
            `${at}.projected.sources.serviceAccountToken.expirationSeconds`,
            token.expirationSeconds,
            'may not specify a duration less than 10 minutes',
          ),
        );
  });
  return causes;
}

function validateName(name: string | undefined, path: string, taken: Set<string>): Causes {
  if (!name) return [field.required(path)];
  const problem = labelProblem(name);
  if (problem) return [field.invalid(path, name, problem)];
  if (taken.has(name)) return [field.duplicate(path, name)];
  taken.add(name);
  return [];
}

function validateContainer(container: Json, at: string, names: Set<string>, volumes: ReadonlySet<string>): Causes {
  const { name, image, volumeMounts = [], env = [], ports = [], securityContext = {} } = container;
  const causes = validateName(name, `${at}.name`, names);
  if (!image) causes.push(field.required(`${at}.image`));
  else if (image.trim() !== image)
    causes.push(field.invalid(`${at}.image`, image, 'must not have leading or trailing whitespace'));
  causes.push(...validateMounts(volumeMounts, `${at}.volumeMounts`, volumes));
  env.forEach((variable: Json, i: number) => {
    causes.push(...validateVariable(variable, `${at}.env[${i}]`));
  });
  const portNames = new Set<string>();
  ports.forEach((port: Json, i: number) => {
    causes.push(...validatePort(port, `${at}.ports[${i}]`, portNames));
  });
  causes.push(...validateResources(container.resources, `${at}.resources`));
  causes.push(...validateUser(securityContext, `${at}.securityContext`));
  if (securityContext.allowPrivilegeEscalation === false)
    for (const [is, what] of [
      [securityContext.privileged, '`privileged` to true'],
      [securityContext.capabilities?.add?.includes('CAP_SYS_ADMIN'), '`capabilities.Add` CAP_SYS_ADMIN'],
    ])
      if (is)
        causes.push(
          field.invalid(
            `${at}.securityContext`,
            securityContext,
            `cannot set \`allowPrivilegeEscalation\` to false and ${what}`,
          ),
        );
  return causes;
}

function validateMounts(mounts: Json[], path: string, volumes: ReadonlySet<string>): Causes {
  const causes: Causes = [];
  const places = new Set<string>();
  mounts.forEach(({ name, mountPath, subPath = '' }, i) => {
    const at = `${path}[${i}]`;
    if (!volumes.has(name)) causes.push(field.notFound(`${at}.name`, name));
    if (!mountPath) causes.push(field.required(`${at}.mountPath`));
    else if (places.has(mountPath)) causes.push(field.invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    places.add(mountPath);
    if (subPath.startsWith('/')) causes.push(field.invalid(`${at}.subPath`, subPath, 'must be a relative path'));
    if (subPath.split('/').includes('..'))
      causes.push(field.invalid(`${at}.subPath`, subPath, "must not contain '..'"));
  });
  return causes;
}

function validateVariable({ name, value, valueFrom }: Json, at: string): Causes {
  const causes: Causes = [];
  if (!name) causes.push(field.required(`${at}.name`));
  else if (!/^[ -<>-~]+$/.test(name))
    causes.push(
      field.invalid(
        `${at}.name`,
        name,
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ),
    );
  if (!valueFrom) return causes;
  if (value) causes.push(field.invalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'));
  if (Object.keys(valueFrom).length > 1)
    causes.push(field.invalid(`${at}.valueFrom`, '', 'may not have more than one field specified at a time'));
  if (Object.keys(valueFrom).length === 0)
    causes.push(
      field.invalid(
        `${at}.valueFrom`,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    );
  return causes;
}

function validatePort({ name, containerPort }: Json, at: string, names: Set<string>): Causes {
  const causes: Causes = [];
  if (name !== undefined) {
    if (name.length > 15) causes.push(field.invalid(`${at}.name`, name, 'must be no more than 15 bytes'));
    else if (names.has(name)) causes.push(field.duplicate(`${at}.name`, name));
    names.add(name);
  }
  if (!containerPort) causes.push(field.required(`${at}.containerPort`));
  else if (containerPort < 1 || containerPort > 65_535)
    causes.push(field.invalid(`${at}.containerPort`, containerPort, 'must be between 1 and 65535, inclusive'));
  return causes;
}

function validateResources({ limits = {}, requests = {} }: Json = {}, at: string): Causes {
  return Object.entries<string>(requests).flatMap(([name, request]) => {
    const limit = limits[name];
    if (limit === undefined || parseQuantity(request)! <= parseQuantity(limit)!) return [];
    return [field.invalid(`${at}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)];
  });
}

function validateUser(context: Json, at: string): Causes {
  return ['runAsUser', 'runAsGroup', 'fsGroup'].flatMap((name) => {
    const id = context?.[name];
    if (id === undefined || (id >= 0 && id <= 2_147_483_647)) return [];
    return [field.invalid(`${at}.${name}`, id, 'must be between 0 and 2147483647, inclusive')];
  });
}

/** The fields of a container that an ephemeral one may have. */
const ephemeralFields = new Set([
  ...['name', 'image', 'command', 'args', 'workingDir', 'envFrom', 'env', 'volumeMounts', 'volumeDevices'],
  ...['terminationMessagePath', 'terminationMessagePolicy', 'imagePullPolicy', 'securityContext'],
  ...['stdin', 'stdinOnce', 'tty', 'targetContainerName'],
]);

/** `names` are those of the pod's containers, and of the ephemeral ones before this one. */
export function validateEphemeralContainer(container: Json, at: string, names: Set<string>, pod: Json): Causes {
  const volumes = new Set<string>((pod.volumes ?? []).map((v: Json) => v.name));
  const causes = validateContainer({ ...container, resources: undefined }, at, names, volumes);
  const target = container.targetContainerName;
  if (target && !pod.containers.some((c: Json) => c.name === target))
    causes.push(field.notFound(`${at}.targetContainerName`, target));
  const banned = 'cannot be set for an Ephemeral Container';
  for (const [name, value] of Object.entries<Json>(container))
    if (!ephemeralFields.has(name) && JSON.stringify(value ?? {}) !== '{}')
      causes.push(field.forbidden(`${at}.${name}`, banned));
  (container.volumeMounts ?? []).forEach((mount: Json, i: number) => {
    for (const name of ['subPath', 'subPathExpr'])
      if (mount[name]) causes.push(field.forbidden(`${at}.volumeMounts[${i}].${name}`, banned));
  });
  return causes;
}
