/** JSON patch, JSON merge patch, and strategic merge patch with the merge keys of the objects served here. */
import { isDeepStrictEqual } from 'node:util';
import { ApiError, badRequest, unsupportedMediaType } from './status.ts';
import type { Json } from './types.ts';

export function applyPatch(contentType: string, object: Json, patch: Json): Json {
  switch (contentType) {
    case 'application/json-patch+json':
      return jsonPatch(object, patch);
    case 'application/merge-patch+json':
      return mergePatch(object, patch);
    case 'application/strategic-merge-patch+json':
      return strategicMerge(object, patch);
    default:
      throw unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json',
      );
  }
}

function isObject(value: Json): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Keys by which lists of objects are merged, from the schemas' `x-kubernetes-patch-merge-key`. Other lists are replaced. */
const mergeKeys: Record<string, string> = {
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  volumes: 'name',
  env: 'name',
  volumeMounts: 'mountPath',
  volumeDevices: 'devicePath',
  ports: 'containerPort',
  conditions: 'type',
  imagePullSecrets: 'name',
  hostAliases: 'ip',
  ownerReferences: 'uid',
  topologySpreadConstraints: 'topologyKey',
  secrets: 'name',
};
/** Lists of plain values that are merged as sets. */
const setLists = new Set(['finalizers']);

function strategicMerge(target: Json, patch: Json, parent = ''): Json {
  if (!isObject(patch)) return patch;
  if (patch.$patch === 'replace') {
    const { $patch: _, ...rest } = patch;
    return rest;
  }
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries<Json>(patch)) {
    if (key === '$patch' || key.startsWith('$setElementOrder/') || key === '$retainKeys') continue;
    const primitive = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key);
    if (primitive) result[primitive[1]!] = (result[primitive[1]!] ?? []).filter((item: Json) => !value.includes(item));
    else if (value === null || value?.$patch === 'delete') delete result[key];
    else if (Array.isArray(value)) result[key] = mergeList(key, parent, result[key] ?? [], value, patch);
    else result[key] = strategicMerge(result[key], value, key);
  }
  // of a union only the named members stay, such as the kinds of a volume or a strategy
  if (patch.$retainKeys)
    for (const key of Object.keys(result)) if (!patch.$retainKeys.includes(key)) delete result[key];
  return result;
}

function mergeList(name: string, parent: string, target: Json[], patch: Json[], whole: Json): Json[] {
  if (setLists.has(name)) return [...new Set([...target, ...patch])];
  // a Service's ports are keyed by `port`; a container's by `containerPort`
  const key = name === 'ports' && parent === 'spec' ? 'port' : mergeKeys[name];
  if (!key || !patch.every(isObject)) return patch;
  if (patch.some((item) => item.$patch === 'replace')) return patch.filter((item) => item.$patch !== 'replace');
  let result = [...target];
  for (const item of patch) {
    if (item[key] === undefined)
      throw new ApiError(
        422,
        'Invalid',
        `map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`,
        {},
      );
    const at = result.findIndex((existing) => existing[key] === item[key]);
    if (item.$patch === 'delete') result = result.filter((_, i) => i !== at);
    else if (at === -1) result.push(strategicMerge({}, item, name));
    else result[at] = strategicMerge(result[at], item, name);
  }
  const order: Json[] = (whole[`$setElementOrder/${name}`] ?? []).map((item: Json) =>
    isObject(item) ? item[key] : item,
  );
  if (order.length === 0) return result;
  const rank = (item: Json) => (order.includes(item[key]) ? order.indexOf(item[key]) : order.length);
  return result
    .map((item, i) => ({ item, i }))
    .sort((a, b) => rank(a.item) - rank(b.item) || a.i - b.i)
    .map(({ item }) => item);
}

function jsonPatch(object: Json, operations: Json): Json {
  if (!Array.isArray(operations))
    throw badRequest('json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  let document = structuredClone(object);
  for (const { op, path, from, value } of operations) {
    if (op === 'add') document = add(document, path, structuredClone(value));
    else if (op === 'remove') remove(document, path);
    else if (op === 'replace') {
      if (pointer(document, path) === undefined) throw failed('replace', path);
      document = set(document, path, structuredClone(value));
    } else if (op === 'move' || op === 'copy') {
      const moved = structuredClone(pointer(document, from));
      if (op === 'move') remove(document, from);
      document = add(document, path, moved);
    } else if (op === 'test') {
      if (!isDeepStrictEqual(pointer(document, path), value))
        throw new ApiError(422, 'Invalid', `testing value ${path} failed: test failed`, {});
    } else throw badRequest(`Unexpected kind: ${op}`);
  }
  return document;
}

const failed = (op: string, path: string) =>
  new ApiError(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${op} operation does not apply: doc is missing path: ${path}`,
    {},
  );

function steps(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function pointer(document: Json, path: string): Json {
  return steps(path).reduce((at, step) => at?.[step], document);
}

function parentOf(document: Json, path: string, op: string): [Json, string] {
  const parts = steps(path);
  const last = parts.pop()!;
  const parent = parts.reduce((at, step) => at?.[step], document);
  if (typeof parent !== 'object' || parent === null) throw failed(op, path);
  return [parent, last];
}

function set(document: Json, path: string, value: Json): Json {
  if (path === '') return value;
  const [parent, last] = parentOf(document, path, 'replace');
  parent[last] = value;
  return document;
}

function add(document: Json, path: string, value: Json): Json {
  if (path === '') return value;
  const [parent, last] = parentOf(document, path, 'add');
  if (Array.isArray(parent)) {
    const at = last === '-' ? parent.length : /^\d+$/.test(last) ? Number(last) : -1;
    if (at < 0 || at > parent.length) throw failed('add', path);
    parent.splice(at, 0, value);
  } else parent[last] = value;
  return document;
}

function remove(document: Json, path: string): void {
  const [parent, last] = parentOf(document, path, 'remove');
  if (parent[last] === undefined) throw failed('remove', path);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
}
