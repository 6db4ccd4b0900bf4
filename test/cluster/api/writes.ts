/** Create, update, patch and apply as clients ask for them: decoding, admission, who set which field. */
import type { IncomingMessage } from 'node:http';
import { parse } from 'yaml';
import { decodeSent, type FieldValidation } from '../openapi/fields.ts';
import type { AdmittedObjects, Requester } from './admitted.ts';
import { type Attributes, type Authorizer, refusal } from './authorization.ts';
import { patchType, readBody, readJson } from './http.ts';
import { checkBody } from './objects.ts';
import { applyPatch } from './patch.ts';
import type { RequestInfo } from './request.ts';
import type { Resource } from './resources.ts';
import { ApiError, badRequest, field, forbidden, invalid } from './status.ts';
import type { Json, KubeObject, User } from './types.ts';
import type { Warnings } from './warnings.ts';

export const applyType = 'application/apply-patch+yaml';

export interface Write {
  readonly objects: AdmittedObjects;
  readonly authorizer: Authorizer;
  readonly user: User;
  readonly info: RequestInfo;
  readonly resource: Resource;
  readonly request: IncomingMessage;
  readonly warnings: Warnings;
}

export interface Written {
  readonly code: number;
  readonly object: KubeObject;
}

/** A POST whose body was read already. */
export async function create(write: Write, body: Json): Promise<Written> {
  const { resource, objects, info } = write;
  const where = resource.namespaced ? info.namespace : undefined;
  if (resource.namespaced && !where) throw badRequest('an empty namespace may not be set during creation');
  const sent = decode(write, checkBody(resource, body));
  return { code: 201, object: await objects.admitAndCreate(resource, where, sent, requester(write, 'CreateOptions')) };
}

/** PUT of an object or of a subresource that is a part of it. */
export async function update(write: Write): Promise<Written> {
  const { resource, objects, info, request } = write;
  const sent = decode(write, checkBody(resource, await readJson(request)));
  const by = requester(write, 'UpdateOptions');
  return { code: 200, object: await objects.admitAndUpdate(resource, target(write), () => sent, info.subresource, by) };
}

/** PATCH of any kind. */
export async function patch(write: Write): Promise<Written> {
  const { resource, objects, info, request } = write;
  const type = patchType(request, [applyType]);
  if (type === applyType) return apply(write, await readBody(request));
  const body = await readJson(request);
  const by = requester(write, 'PatchOptions');
  const change = (live: KubeObject) => decode(write, applyPatch(type, live, body));
  return { code: 200, object: await objects.admitAndUpdate(resource, target(write), change, info.subresource, by) };
}

async function apply(write: Write, body: Buffer): Promise<Written> {
  const { resource, objects, info, user, authorizer } = write;
  const manager = info.query.get('fieldManager');
  if (!manager) {
    const cause = field.required('fieldManager', 'is required for apply patch');
    throw invalid('meta.k8s.io', 'PatchOptions', '', [cause]);
  }
  let config: Json;
  try {
    config = parse(body.toString());
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
  if (!config?.apiVersion || !config.kind) throw badRequest("Object 'Kind' is missing");
  const sent = decode(write, checkBody(resource, config));
  if (config.metadata?.managedFields?.length) throw badRequest('metadata.managedFields must be nil');
  if ((sent.metadata.name ?? info.name) !== info.name)
    throw badRequest(
      `the name of the object (${sent.metadata.name}) does not match the name on the URL (${info.name})`,
    );
  const force = info.query.get('force') === 'true';
  const named = { ...sent, metadata: { ...sent.metadata, name: info.name } };
  const by = { ...requester(write, 'PatchOptions'), applies: { manager, config: named, force } };
  const where = target(write);
  if (objects.store.get(resource, where.namespace, where.name))
    return { code: 200, object: await objects.admitAndUpdate(resource, where, undefined, info.subresource, by) };
  if (info.subresource) objects.get(resource, where.namespace, where.name);
  const attributes: Attributes = {
    verb: 'create',
    group: resource.group,
    resource: resource.resource,
    namespace: info.namespace,
    name: info.name,
  };
  if (!authorizer.allows(user, attributes))
    throw forbidden(resource.group, resource.resource, info.name, refusal(user, attributes));
  return { code: 201, object: await objects.admitAndCreate(resource, where.namespace, named, by) };
}

function target({ resource, info }: Write): { namespace: string | undefined; name: string } {
  return { namespace: resource.namespaced ? info.namespace : undefined, name: info.name! };
}

function decode({ info, warnings }: Write, object: KubeObject): KubeObject {
  const asked = info.query.get('fieldValidation') || 'Warn';
  if (!['Ignore', 'Warn', 'Strict'].includes(asked))
    throw new ApiError(422, 'Invalid', `fieldValidation: Unsupported value: "${asked}"`, {});
  return decodeSent(object, asked as FieldValidation, warnings.add);
}

function requester({ user, info, request, warnings }: Write, kind: string): Requester {
  const dryRun = info.query.get('dryRun') === 'All';
  const [fieldManager, fieldValidation] = ['fieldManager', 'fieldValidation'].map((name) => info.query.get(name));
  const options = {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager ? { fieldManager } : {}),
    ...(fieldValidation ? { fieldValidation } : {}),
  };
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0]!;
  return { user, dryRun, options, manager: fieldManager ?? agent, warn: warnings.add };
}
