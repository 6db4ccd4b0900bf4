/** What a request asks for, read from its method and path as apiserver's RequestInfo does. */
import { findResource, type Resource } from './resources.ts';

export interface RequestInfo {
  readonly url: URL;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of a resource: get, list, watch, create, update, patch, delete, deletecollection. Else the method in lower case. */
  readonly verb: string;
  /** Undefined for paths outside the resources (`/version`) and unknown ones. */
  readonly resource: Resource | undefined;
  /** Set also where the resource is not known, for the words of a refusal. */
  readonly asked: { readonly group: string; readonly resource: string } | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly rest: readonly string[];
}

const verbs: Record<string, string> = { POST: 'create', PUT: 'update', PATCH: 'patch' };

export function parseRequest(method: string, target: string): RequestInfo {
  const url = new URL(target, 'https://cluster');
  const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const base = {
    url,
    path: url.pathname,
    query: url.searchParams,
    verb: method.toLowerCase(),
    resource: undefined,
    asked: undefined,
    namespace: undefined,
    name: undefined,
    subresource: undefined,
    rest: [],
  };
  const [root, ...after] = parts;
  const group = root === 'api' ? '' : root === 'apis' ? after.shift() : undefined;
  const version = after.shift();
  if (group === undefined || version === undefined || after.length === 0) return base;
  let namespace: string | undefined;
  // /namespaces/NS/status is a subresource of the namespace; anything else below it is in the namespace
  if (after[0] === 'namespaces' && after.length > 2 && !['status', 'finalize'].includes(after[2]!)) {
    namespace = after[1];
    after.splice(0, 2);
  }
  const [resource, name, subresource, ...rest] = after;
  // a namespace is asked for in itself, which is how a Role can grant it
  if (resource === 'namespaces' && name) namespace = name;
  const watching = ['1', 'true'].includes(url.searchParams.get('watch') ?? '');
  const read = method === 'GET' || method === 'HEAD';
  const verb = read
    ? name
      ? 'get'
      : watching
        ? 'watch'
        : 'list'
    : method === 'DELETE'
      ? name
        ? 'delete'
        : 'deletecollection'
      : (verbs[method] ?? base.verb);
  return {
    ...base,
    verb,
    resource: findResource(group, version, resource!),
    asked: { group, resource: resource! },
    namespace,
    name,
    subresource,
    rest,
  };
}
