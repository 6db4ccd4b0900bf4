/** LIST and WATCH requests: selectors, pages, and the form the client accepts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestInfo } from './request.ts';
import { apiVersionOf, type Resource } from './resources.ts';
import { matchesLabels, parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { badRequest, gone } from './status.ts';
import type { Store } from './store.ts';
import { type IncludeObject, partial, renderTable } from './table.ts';
import type { Json, KubeObject } from './types.ts';
import { watch } from './watch.ts';

export type Form = 'object' | 'table' | 'metadata';

/** The first form of the Accept header that this server has. */
export function acceptedForm(request: IncomingMessage): Form {
  for (const part of (request.headers.accept ?? '').split(',')) {
    if (!part.includes('json')) continue;
    if (/;as=Table/.test(part)) return 'table';
    if (/;as=PartialObjectMetadata/.test(part)) return 'metadata';
    return 'object';
  }
  return 'object';
}

/** How one object is answered. */
export function renderOne(resource: Resource, object: KubeObject, form: Form, include: IncludeObject): Json {
  if (form === 'metadata') return partial(object);
  if (form === 'table')
    return renderTable(resource, [object], { resourceVersion: object.metadata.resourceVersion }, include);
  return object;
}

export function includeObject(info: RequestInfo): IncludeObject {
  return (info.query.get('includeObject') as IncludeObject | null) ?? 'Metadata';
}

function integer(info: RequestInfo, name: string): number | undefined {
  const text = info.query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

export function matcherOf(info: RequestInfo, resource: Resource): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(info.query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(info.query.get('fieldSelector') ?? '', resource.kind);
  return (object) =>
    matchesLabels(labels, object.metadata.labels) &&
    fields(object) &&
    (!info.name || object.metadata.name === info.name);
}

export function handleWatch(
  store: Store,
  info: RequestInfo,
  resource: Resource,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const form = acceptedForm(request);
  const include = includeObject(info);
  watch(store, response, {
    resource,
    namespace: resource.namespaced ? info.namespace : undefined,
    matches: matcherOf(info, resource),
    resourceVersion: info.query.get('resourceVersion') ?? undefined,
    timeoutSeconds: integer(info, 'timeoutSeconds'),
    bookmarks: info.query.get('allowWatchBookmarks') === 'true',
    sendInitialEvents: info.query.get('sendInitialEvents') === 'true',
    render: (object, first) =>
      form === 'table'
        ? renderTable(resource, [object], { resourceVersion: object.metadata.resourceVersion }, include, first)
        : form === 'metadata'
          ? partial(object)
          : object,
  });
}

interface Page {
  /** Resource version the first page was read at. */
  readonly rv: number;
  /** Last key that was sent. */
  readonly start: string;
}

export function handleList(store: Store, info: RequestInfo, resource: Resource, request: IncomingMessage): Json {
  const matches = matcherOf(info, resource);
  const limit = integer(info, 'limit') ?? 0;
  const token = info.query.get('continue');
  const page = token ? readPage(token) : undefined;
  const key = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;
  const all = store.list(resource, resource.namespaced ? info.namespace : undefined).filter(matches);
  const rest = page ? all.filter((object) => key(object) > page.start) : all;
  const items = limit > 0 ? rest.slice(0, limit) : rest;
  const rv = page?.rv ?? store.version;
  const metadata: Json = { resourceVersion: String(rv) };
  if (items.length < rest.length) {
    const next: Page = { rv, start: key(items.at(-1)!) };
    metadata.continue = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', ...next })).toString('base64url');
    // like a real server: not counted when a selector filters
    if (!info.query.get('labelSelector') && !info.query.get('fieldSelector'))
      metadata.remainingItemCount = rest.length - items.length;
  }
  const form = acceptedForm(request);
  if (form === 'table') return renderTable(resource, items, metadata, includeObject(info));
  if (form === 'metadata')
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: items.map(partial) };
  const bare = items.map(({ kind: _, apiVersion: __, ...object }) => object);
  return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items: bare };
}

function readPage(token: string): Page {
  try {
    const page = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof page.start === 'string' && typeof page.rv === 'number') return page;
  } catch {
    // said below
  }
  if (!token) throw gone('The provided continue parameter is too old');
  throw badRequest('continue key is not valid: invalid character');
}
