/** The schemas of the objects served here, as recorded on Kubernetes 1.36.2 (../../fixtures/openapi). */
import { readFileSync } from 'node:fs';
import type { Json } from '../api/types.ts';

export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly default?: Json;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
}

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const file = new URL('../../fixtures/openapi/kubernetes-1.36-schemas.json', import.meta.url);
let loaded: Readonly<Record<string, Schema>> | undefined;
const byKind = new Map<string, Schema>();

/** Every schema by its name. Read with the first use: most clusters of tests never need them all. */
export function definitions(): Readonly<Record<string, Schema>> {
  if (loaded) return loaded;
  loaded = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Schema>;
  for (const schema of Object.values(loaded)) {
    const kinds = schema['x-kubernetes-group-version-kind'] ?? [];
    // options and the like are of every group: they are no objects of the API
    if (kinds.length !== 1) continue;
    const { group, version, kind } = kinds[0]!;
    byKind.set(`${group ? `${group}/` : ''}${version} ${kind}`, schema);
  }
  return loaded;
}

/** The schema of a kind; undefined for the groups that were not recorded. */
export function schemaOf(apiVersion: string, kind: string): Schema | undefined {
  definitions();
  return byKind.get(`${apiVersion} ${kind}`);
}

/** The schema that a reference leads to, with the default that stands beside it. */
export function resolve(schema: Schema): Schema {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (!reference) return schema;
  const found = definitions()[reference.slice(reference.lastIndexOf('/') + 1)];
  if (!found) throw new Error(`no schema ${reference}`);
  return found;
}

/** Go's name of the type a reference leads to, such as `Container`. */
export function typeName(schema: Schema): string {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref ?? '';
  return reference.slice(reference.lastIndexOf('.') + 1);
}
