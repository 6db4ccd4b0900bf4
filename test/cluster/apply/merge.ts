/**
 * The structured merge of server-side apply and of a policy's ApplyConfiguration: objects by field, lists as their schema says
 * (by keys, as a set, or as a whole).
 */
import type { Json } from '../api/types.ts';
import { resolve, type Schema } from '../openapi/schemas.ts';

/** What is known of a kind without a schema: objects are merged by field, lists are replaced. */
export const unknownSchema: Schema = {};

export type Shape =
  | { readonly kind: 'fields'; child(key: string): Schema }
  | { readonly kind: 'keyed'; readonly item: Schema; keyOf(item: Json): string }
  | { readonly kind: 'set' }
  | { readonly kind: 'atomic' };

/** How a value is taken apart. */
export function shapeOf(schema: Schema, value: Json): Shape {
  const found = resolve(schema);
  if (Array.isArray(value)) {
    const type = found['x-kubernetes-list-type'];
    if (type === 'set') return { kind: 'set' };
    if (type !== 'map') return { kind: 'atomic' };
    const item = found.items ?? unknownSchema;
    const keys = found['x-kubernetes-list-map-keys'] ?? [];
    return { kind: 'keyed', item, keyOf: (one) => JSON.stringify(keys.map((key) => [key, keyValue(item, one, key)])) };
  }
  if (typeof value !== 'object' || value === null) return { kind: 'atomic' };
  if ((schema['x-kubernetes-map-type'] ?? found['x-kubernetes-map-type']) === 'atomic') return { kind: 'atomic' };
  const { properties, additionalProperties } = found;
  return { kind: 'fields', child: (key) => properties?.[key] ?? additionalProperties ?? unknownSchema };
}

/** Keys may be left out where the schema has a default, as a port's protocol. */
function keyValue(item: Schema, value: Json, key: string): Json {
  return value?.[key] ?? resolve(item).properties?.[key]?.default ?? null;
}

/** `applied` merged into `live`; neither is changed. */
export function structuredMerge(schema: Schema, live: Json, applied: Json): Json {
  if (applied === undefined) return live;
  if (live === undefined || live === null || Array.isArray(live) !== Array.isArray(applied)) return applied;
  const shape = shapeOf(schema, applied);
  if (shape.kind === 'fields') {
    if (typeof live !== 'object') return applied;
    const merged = { ...live };
    for (const [key, value] of Object.entries<Json>(applied))
      merged[key] = structuredMerge(shape.child(key), live[key], value);
    return merged;
  }
  if (shape.kind === 'set')
    return interleave(
      live,
      applied,
      (item) => JSON.stringify(item),
      (_, item) => item,
    );
  if (shape.kind === 'keyed')
    return interleave(live, applied, shape.keyOf, (before, after) => structuredMerge(shape.item, before, after));
  return applied;
}

/** Items of both lists: those of the applied one in its order, the others where they stood among them. */
function interleave(live: Json[], applied: Json[], keyOf: (item: Json) => string, merge: (a: Json, b: Json) => Json) {
  const before = new Map(live.map((item) => [keyOf(item), item]));
  const wanted = new Set(applied.map(keyOf));
  const result: Json[] = [];
  let next = 0;
  const take = () => {
    const item = applied[next++];
    const old = before.get(keyOf(item));
    result.push(old === undefined ? item : merge(old, item));
  };
  const done = () => new Set(applied.slice(0, next).map(keyOf));
  for (const item of live) {
    const key = keyOf(item);
    if (!wanted.has(key)) result.push(item);
    else if (!done().has(key)) {
      while (keyOf(applied[next]) !== key) take();
      take();
    }
  }
  while (next < applied.length) take();
  return result;
}

/** Paths of lists and objects that a configuration replaces as a whole; `.spec.tolerations` say. */
export function atomicsIn(schema: Schema, value: Json, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const shape = shapeOf(schema, value);
  if (shape.kind === 'atomic') return [path];
  if (shape.kind === 'fields')
    return Object.entries<Json>(value).flatMap(([key, item]) => atomicsIn(shape.child(key), item, `${path}.${key}`));
  if (shape.kind === 'keyed')
    return (value as Json[]).flatMap((item, i) => atomicsIn(shape.item, item, `${path}[${i}]`));
  return [];
}
