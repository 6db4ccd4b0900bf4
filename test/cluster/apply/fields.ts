/** Paths of the fields of an object, as server-side apply keeps them for each manager. */
import { isDeepStrictEqual } from 'node:util';
import type { Json, KubeObject } from '../api/types.ts';
import { type Schema, schemaOf } from '../openapi/schemas.ts';
import { shapeOf, unknownSchema } from './merge.ts';

/** A step is a field, an item of a list by its keys, or a value of a set. */
export type Step = { readonly field: string } | { readonly key: string } | { readonly value: string };
export type FieldPath = readonly Step[];
/** Paths by their text. */
export type FieldSet = Map<string, FieldPath>;

export function schemaOfObject({ apiVersion, kind }: KubeObject): Schema {
  return schemaOf(apiVersion, kind) ?? unknownSchema;
}

// status belongs to controllers, which write it by a subresource of its own
const unowned = new Set([
  'apiVersion',
  'kind',
  'status',
  'metadata.name',
  'metadata.generateName',
  'metadata.namespace',
]);
const system = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'resourceVersion',
  'managedFields',
  'selfLink',
];
for (const name of system) unowned.add(`metadata.${name}`);

/** Every field that the object sets: leaves, and items of lists themselves. */
export function fieldSet(object: KubeObject): FieldSet {
  const found: FieldSet = new Map();
  const add = (path: FieldPath) => found.set(JSON.stringify(path), path);
  const visit = (schema: Schema, value: Json, path: FieldPath): void => {
    const shape = shapeOf(schema, value);
    if (shape.kind === 'fields') {
      const entries = Object.entries<Json>(value);
      if (entries.length === 0 && path.length > 0) add(path);
      for (const [field, item] of entries) {
        if (item === undefined || item === null || (path.length < 2 && unowned.has(dotted([...path, { field }]))))
          continue;
        visit(shape.child(field), item, [...path, { field }]);
      }
    } else if (shape.kind === 'keyed')
      for (const item of value as Json[]) {
        const at = [...path, { key: shape.keyOf(item) }];
        add(at);
        visit(shape.item, item, at);
      }
    else if (shape.kind === 'set') for (const item of value) add([...path, { value: JSON.stringify(item) }]);
    else add(path);
  };
  visit(schemaOfObject(object), object, []);
  return found;
}

/** The value at a path; undefined where there is none. */
export function valueAt(object: KubeObject, path: FieldPath): Json {
  return walk(object, path)?.value;
}

/** Whether two objects agree on a field. An item of a list agrees when both have it. */
export function agree(a: KubeObject, b: KubeObject, path: FieldPath): boolean {
  const [one, other] = [valueAt(a, path), valueAt(b, path)];
  if ('key' in path.at(-1)!) return (one === undefined) === (other === undefined);
  return isDeepStrictEqual(one, other);
}

/** Takes a field out of the object, which is changed. */
export function removeAt(object: KubeObject, path: FieldPath): void {
  const found = walk(object, path);
  if (!found || found.value === undefined) return;
  if (Array.isArray(found.parent)) found.parent.splice(found.parent.indexOf(found.value), 1);
  else delete found.parent[(path.at(-1) as { field: string }).field];
}

function walk(object: KubeObject, path: FieldPath): { parent: Json; value: Json } | undefined {
  let schema = schemaOfObject(object);
  let [parent, value]: [Json, Json] = [undefined, object];
  for (const step of path) {
    if (value === undefined || value === null) return undefined;
    const shape = shapeOf(schema, value);
    parent = value;
    if ('field' in step) {
      if (shape.kind !== 'fields') return undefined;
      value = value[step.field];
      schema = shape.child(step.field);
    } else if ('key' in step) {
      if (shape.kind !== 'keyed') return undefined;
      value = (value as Json[]).find((item) => shape.keyOf(item) === step.key);
      schema = shape.item;
    } else {
      if (shape.kind !== 'set') return undefined;
      value = (value as Json[]).find((item) => JSON.stringify(item) === step.value);
    }
  }
  return { parent, value };
}

/** As the API server names it: `.spec.containers[name="app"].image`. */
export function fieldName(path: FieldPath): string {
  return path
    .map((step) => {
      if ('field' in step) return `.${step.field}`;
      if ('value' in step) return `[=${step.value}]`;
      const keys = JSON.parse(step.key) as [string, Json][];
      return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}

function dotted(path: FieldPath): string {
  return fieldName(path).slice(1);
}
