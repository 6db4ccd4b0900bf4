/** One HTTP request: who, may they, then the answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Kubelet } from '../kubelet/kubelet.ts';
import { openApi } from '../openapi/document.ts';
import type { AdmittedObjects } from './admitted.ts';
import { type Authenticator, impersonation } from './authentication.ts';
import { type Attributes, type Authorizer, refusal } from './authorization.ts';
import * as discovery from './discovery.ts';
import { deleteOptions, patchType, readJson, send, sendError } from './http.ts';
import { acceptedForm, handleList, handleWatch, includeObject, matcherOf, renderOne } from './listing.ts';
import type { DeleteOptions } from './objects.ts';
import { applyPatch } from './patch.ts';
import { podLog } from './podlog.ts';
import { parseRequest, type RequestInfo } from './request.ts';
import { groups, type Resource } from './resources.ts';
import * as reviews from './reviews.ts';
import { scaleOf, withScale } from './scale.ts';
import { ApiError, badRequest, forbidden, methodNotAllowed } from './status.ts';
import type { Json, KubeObject, User } from './types.ts';
import { Warnings } from './warnings.ts';
import * as writes from './writes.ts';

export interface ApiParts {
  readonly objects: AdmittedObjects;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly kubelet: Kubelet;
}

const flowSchema = randomUUID();
const priorityLevel = randomUUID();

export function attributesOf(info: RequestInfo, verb = info.verb): Attributes {
  const { group, resource } = info.asked!;
  return { verb, group, resource, subresource: info.subresource, namespace: info.namespace, name: info.name };
}

export class Handler {
  readonly parts: ApiParts;
  constructor(parts: ApiParts) {
    this.parts = parts;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('audit-id', randomUUID());
    response.setHeader('cache-control', 'no-cache, private');
    try {
      const info = parseRequest(request.method ?? 'GET', request.url ?? '/');
      const user = this.identify(request);
      response.setHeader('x-kubernetes-pf-flowschema-uid', flowSchema);
      response.setHeader('x-kubernetes-pf-prioritylevel-uid', priorityLevel);
      this.authorize(user, info);
      const answer = info.asked
        ? await this.#resource(user, info, request, response)
        : this.#path(info, request, response);
      if (answer) send(response, answer.code, answer.body);
    } catch (error) {
      sendError(response, error);
    }
  }

  /** The user a request acts as. Throws 401, or 403 when impersonation is not allowed. */
  identify(request: IncomingMessage): User {
    const { authenticator, authorizer } = this.parts;
    const user = authenticator.authenticate(request);
    const asked = impersonation(request);
    if (!asked) return user;
    for (const { resource, name, namespace } of asked.needs) {
      const group = resource === 'uids' ? 'authentication.k8s.io' : '';
      const attributes = { verb: 'impersonate', group, resource, name, namespace };
      if (!authorizer.allows(user, attributes)) throw forbidden(group, resource, name, refusal(user, attributes));
    }
    return asked.user;
  }

  authorize(user: User, info: RequestInfo): void {
    const { authorizer } = this.parts;
    if (!info.asked) {
      if (authorizer.allowsPath(user, info.path, info.verb)) return;
      throw new ApiError(
        403,
        'Forbidden',
        `forbidden: User "${user.name}" cannot ${info.verb} path "${info.path}"`,
        {},
      );
    }
    const attributes = attributesOf(info);
    if (authorizer.allows(user, attributes)) return;
    throw forbidden(attributes.group, attributes.resource, info.name, refusal(user, attributes));
  }

  #path(info: RequestInfo, request: IncomingMessage, response: ServerResponse): Answer | undefined {
    if (info.verb !== 'get') throw methodNotAllowed();
    const path = info.path.replace(/(.)\/$/, '$1');
    const accept = request.headers.accept ?? '';
    if (path === '/version') return ok(discovery.version);
    if (['/healthz', '/livez', '/readyz'].includes(path)) return text(response, 'ok');
    const schemas = openApi(path);
    if (schemas) return ok(schemas);
    if (path === '/api' || path === '/apis') {
      const group = path === '/api' ? '' : undefined;
      if (discovery.wantsAggregated(accept)) {
        response.setHeader('content-type', discovery.aggregatedType);
        response.setHeader('cache-control', 'public');
        return ok(discovery.aggregated(group));
      }
      if (group === undefined) return ok(discovery.groupList());
      const here = request.headers.host ?? '';
      return ok({
        kind: 'APIVersions',
        versions: ['v1'],
        serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: here }],
      });
    }
    const [, root, ...rest] = path.split('/');
    if (root === 'apis' && rest.length === 1 && groups.includes(rest[0] as (typeof groups)[number]))
      return ok({ kind: 'APIGroup', apiVersion: 'v1', ...discovery.groupEntry(rest[0]!) });
    const list =
      root === 'api' && rest.length === 1
        ? discovery.resourceList('', rest[0]!)
        : root === 'apis' && rest.length === 2
          ? discovery.resourceList(rest[0]!, rest[1]!)
          : undefined;
    if (list) return ok(list);
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    return undefined;
  }

  async #resource(
    user: User,
    info: RequestInfo,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer | undefined> {
    const { resource } = info;
    const { objects } = this.parts;
    const known = resource && (info.subresource === undefined || resource.subresources[info.subresource]);
    if (!resource || !known || info.rest.length > 0) {
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
      return undefined;
    }
    const verbs = info.subresource ? resource.subresources[info.subresource]!.verbs : resource.verbs;
    if (!verbs.includes(info.verb)) throw methodNotAllowed();
    const { authorizer } = this.parts;
    const warnings = new Warnings();
    const write: writes.Write = { objects, authorizer, user, info, resource, request, warnings };
    if (info.subresource) return this.#subresource(write, response);
    const dryRun = info.query.get('dryRun') === 'All';
    const answer = ({ code, object }: writes.Written): Answer => {
      warnings.writeTo(response);
      return { code, body: shown(object) };
    };
    const shown = (object: KubeObject) => renderOne(resource, object, acceptedForm(request), includeObject(info));
    const where = resource.namespaced ? info.namespace : undefined;
    switch (info.verb) {
      case 'list':
        return ok(handleList(objects.store, info, resource, request));
      case 'watch':
        handleWatch(objects.store, info, resource, request, response);
        return undefined;
      case 'get':
        if (['1', 'true'].includes(info.query.get('watch') ?? '')) {
          handleWatch(objects.store, info, resource, request, response);
          return undefined;
        }
        return ok(shown(objects.get(resource, where, info.name!)));
      case 'create': {
        const body = await readJson(request);
        const reviewed = this.#review(user, resource, body);
        if (reviewed) return { code: 201, body: reviewed };
        return answer(await writes.create(write, body));
      }
      case 'update':
        return answer(await writes.update(write));
      case 'patch':
        return answer(await writes.patch(write));
      case 'delete':
        return ok(
          this.#delete(resource, objects.get(resource, where, info.name!), await deleteOptions(request, info), dryRun),
        );
      case 'deletecollection': {
        const options = await deleteOptions(request, info);
        const matched = objects.store.list(resource, where).filter(matcherOf(info, resource));
        for (const object of matched) objects.delete(resource, object, options);
        return ok(handleList(objects.store, info, resource, request));
      }
      default:
        throw methodNotAllowed();
    }
  }

  #review(user: User, resource: Resource, body: Json): Json | undefined {
    const { authorizer } = this.parts;
    switch (resource.resource) {
      case 'selfsubjectaccessreviews':
        return reviews.selfSubjectAccessReview(authorizer, user, body);
      case 'subjectaccessreviews':
        return reviews.subjectAccessReview(authorizer, body);
      case 'selfsubjectrulesreviews':
        return reviews.selfSubjectRulesReview(authorizer, user, body);
      case 'selfsubjectreviews':
        return reviews.selfSubjectReview(user);
      default:
        return undefined;
    }
  }

  #delete(resource: Resource, object: KubeObject, options: DeleteOptions, dryRun: boolean): Json {
    const remaining = dryRun ? undefined : this.parts.objects.delete(resource, object, options);
    if (remaining) return remaining;
    // a pod without grace and a service are answered with the object, the rest with a Status
    if (['pods', 'services', 'serviceaccounts'].includes(resource.resource)) return object;
    const { name, uid } = object.metadata;
    const group = resource.group ? { group: resource.group } : {};
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name, ...group, kind: resource.resource, uid },
    };
  }

  async #subresource(write: writes.Write, response: ServerResponse): Promise<Answer | undefined> {
    const { resource, info, request } = write;
    const { objects, kubelet, authenticator } = this.parts;
    const { subresource, name } = info;
    const where = resource.namespaced ? info.namespace : undefined;
    if (subresource === 'token')
      return { code: 201, body: reviews.tokenRequest(authenticator, info.namespace!, name!, await readJson(request)) };
    const object = objects.get(resource, where, name!);
    if (subresource === 'log') {
      podLog(kubelet, object, info, response);
      return undefined;
    }
    if (subresource === 'exec' || subresource === 'portforward' || subresource === 'attach')
      throw badRequest('Upgrade request required');
    if (subresource === 'eviction') {
      const body = await readJson(request);
      objects.delete(resource, object, body.deleteOptions ?? {});
      return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
    }
    if (!['status', 'ephemeralcontainers', 'scale', 'finalize'].includes(subresource!)) throw methodNotAllowed();
    if (info.verb === 'get') return ok(subresource === 'scale' ? scaleOf(object) : object);
    if (subresource === 'scale') {
      const type = info.verb === 'patch' ? patchType(request) : undefined;
      const body = await readJson(request);
      const scale = type ? applyPatch(type, scaleOf(object), body) : body;
      return ok(scaleOf(objects.update(resource, object, withScale(object, scale))));
    }
    const changed = await (info.verb === 'patch' ? writes.patch(write) : writes.update(write));
    write.warnings.writeTo(response);
    return { code: changed.code, body: changed.object };
  }
}

interface Answer {
  readonly code: number;
  readonly body: Json;
}

const ok = (body: Json): Answer => ({ code: 200, body });

function text(response: ServerResponse, body: string): undefined {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(body);
  return undefined;
}
