/**
 * Bodies in Kubernetes' protobuf, which kubectl sends for what it creates through typed clients (`auth can-i`, `create token`,
 * `create namespace`, …). Only those messages are known; answers are always JSON, which every client accepts.
 */
import { unsupportedMediaType } from './status.ts';
import type { Json } from './types.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

type FieldType = 'string' | 'bytes' | 'int' | 'bool' | 'ignored' | Message;
interface Message {
  readonly [number: number]: readonly [name: string, type: FieldType, how?: 'list' | 'map'];
}

const reference: Message = {
  1: ['kind', 'string'],
  2: ['apiVersion', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
};
const metadata: Message = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  4: ['selfLink', 'ignored'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['generation', 'ignored'],
  8: ['creationTimestamp', 'ignored'],
  9: ['deletionTimestamp', 'ignored'],
  10: ['deletionGracePeriodSeconds', 'ignored'],
  11: ['labels', 'string', 'map'],
  12: ['annotations', 'string', 'map'],
  13: ['ownerReferences', 'ignored'],
  14: ['finalizers', 'string', 'list'],
  17: ['managedFields', 'ignored'],
};
const resourceAttributes: Message = {
  1: ['namespace', 'string'],
  2: ['verb', 'string'],
  3: ['group', 'string'],
  4: ['version', 'string'],
  5: ['resource', 'string'],
  6: ['subresource', 'string'],
  7: ['name', 'string'],
  8: ['fieldSelector', 'ignored'],
  9: ['labelSelector', 'ignored'],
};
const rule: Message = {
  1: ['verbs', 'string', 'list'],
  2: ['apiGroups', 'string', 'list'],
  3: ['resources', 'string', 'list'],
  4: ['resourceNames', 'string', 'list'],
  5: ['nonResourceURLs', 'string', 'list'],
};
const subject: Message = {
  1: ['kind', 'string'],
  2: ['apiGroup', 'string'],
  3: ['name', 'string'],
  4: ['namespace', 'string'],
};
const roleReference: Message = { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] };
const role: Message = { 1: ['metadata', metadata], 2: ['rules', rule, 'list'], 3: ['aggregationRule', 'ignored'] };
const binding: Message = { 1: ['metadata', metadata], 2: ['subjects', subject, 'list'], 3: ['roleRef', roleReference] };
const path: Message = { 1: ['path', 'string'], 2: ['verb', 'string'] };
const port: Message = {
  1: ['name', 'string'],
  2: ['hostPort', 'int'],
  3: ['containerPort', 'int'],
  4: ['protocol', 'string'],
};
const variable: Message = { 1: ['name', 'string'], 2: ['value', 'string'] };
const container: Message = {
  1: ['name', 'string'],
  2: ['image', 'string'],
  3: ['command', 'string', 'list'],
  4: ['args', 'string', 'list'],
  5: ['workingDir', 'string'],
  6: ['ports', port, 'list'],
  7: ['env', variable, 'list'],
  8: ['resources', 'ignored'],
  14: ['imagePullPolicy', 'string'],
};
const template: Message = {
  1: ['metadata', metadata],
  2: ['spec', { 2: ['containers', container, 'list'], 3: ['restartPolicy', 'string'] }],
};
const selector: Message = { 1: ['matchLabels', 'string', 'map'], 2: ['matchExpressions', 'ignored'] };

const messages: Record<string, Message> = {
  SelfSubjectAccessReview: {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['resourceAttributes', resourceAttributes], 2: ['nonResourceAttributes', path] }],
    3: ['status', 'ignored'],
  },
  SelfSubjectRulesReview: {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['namespace', 'string'] }],
    3: ['status', 'ignored'],
  },
  SelfSubjectReview: { 1: ['metadata', metadata], 2: ['status', 'ignored'] },
  TokenRequest: {
    1: ['metadata', metadata],
    2: [
      'spec',
      { 1: ['audiences', 'string', 'list'], 3: ['boundObjectRef', reference], 4: ['expirationSeconds', 'int'] },
    ],
    3: ['status', 'ignored'],
  },
  Namespace: {
    1: ['metadata', metadata],
    2: ['spec', { 1: ['finalizers', 'string', 'list'] }],
    3: ['status', 'ignored'],
  },
  ConfigMap: {
    1: ['metadata', metadata],
    2: ['data', 'string', 'map'],
    3: ['binaryData', 'bytes', 'map'],
    4: ['immutable', 'bool'],
  },
  Secret: {
    1: ['metadata', metadata],
    2: ['data', 'bytes', 'map'],
    3: ['type', 'string'],
    4: ['stringData', 'string', 'map'],
    5: ['immutable', 'bool'],
  },
  ServiceAccount: { 1: ['metadata', metadata], 4: ['automountServiceAccountToken', 'bool'] },
  Role: role,
  ClusterRole: role,
  RoleBinding: binding,
  ClusterRoleBinding: binding,
  Deployment: {
    1: ['metadata', metadata],
    2: [
      'spec',
      { 1: ['replicas', 'int'], 2: ['selector', selector], 3: ['template', template], 4: ['strategy', 'ignored'] },
    ],
    3: ['status', 'ignored'],
  },
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'int'],
    2: ['preconditions', { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] }],
    3: ['orphanDependents', 'bool'],
    4: ['propagationPolicy', 'string'],
    5: ['dryRun', 'string', 'list'],
  },
};

const envelope: Message = {
  1: ['type', { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] }],
  2: ['raw', 'bytes'],
  3: ['contentEncoding', 'string'],
  4: ['contentType', 'string'],
};

/** The object in a protobuf body. Throws `415` for one this server does not know in that form. */
export function decodeProtobuf(body: Buffer): Json {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0')
    throw unsupportedMediaType(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    );
  const { type, raw } = decode(body.subarray(4), envelope);
  const message = messages[type?.kind];
  if (!message) throw unsupportedMediaType(`the embedded cluster does not take ${type?.kind} as protobuf: send JSON`);
  return { kind: type.kind, apiVersion: type.apiVersion, ...decode(Buffer.from(raw ?? '', 'base64'), message) };
}

function decode(bytes: Buffer, message: Message): Json {
  const result: Json = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw unsupportedMediaType('proto: unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    const field = message[key >> 3];
    if (wire !== 0 && wire !== 2) throw unsupportedMediaType(`proto: illegal wireType ${wire}`);
    const value = wire === 0 ? varint() : slice(varint());
    if (!field)
      throw unsupportedMediaType('the embedded cluster does not know a field of this protobuf message: send JSON');
    const [name, type, how] = field;
    if (type === 'ignored') continue;
    if (how === 'map') {
      const entry = decode(value as Buffer, { 1: ['key', 'string'], 2: ['value', type] });
      result[name] = { ...result[name], [entry.key ?? '']: entry.value ?? '' };
    } else if (how === 'list') result[name] = [...(result[name] ?? []), convert(value, type)];
    else {
      const converted = convert(value, type);
      // Go writes empty strings; JSON leaves them out
      if (converted !== '') result[name] = converted;
    }
  }
  return result;

  function slice(length: number): Buffer {
    const part = bytes.subarray(at, at + length);
    at += length;
    return part;
  }
}

function convert(value: number | Buffer, type: FieldType): Json {
  if (typeof value === 'number') return type === 'bool' ? value !== 0 : value;
  if (type === 'string') return value.toString();
  if (type === 'bytes') return value.toString('base64');
  return decode(value, type as Message);
}
