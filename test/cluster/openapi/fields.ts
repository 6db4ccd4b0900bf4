/**
 * Decoding as the API server does it: fields that a kind does not have are dropped, and named if the client wants that; values
 * of another type than the schema's are refused.
 */
import { badRequest } from '../api/status.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { resolve, type Schema, schemaOf, typeName } from './schemas.ts';

/** What the client wants to hear about unknown fields; a request that says nothing is warned. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** The object without unknown fields, and their paths. Throws 400 for a value of a wrong type. */
export function decodeFields(object: KubeObject): { object: KubeObject; unknown: string[] } {
  const schema = schemaOf(object.apiVersion, object.kind);
  if (!schema) return { object, unknown: [] };
  const unknown: string[] = [];
  const refuse = (why: string) => {
    const version = object.apiVersion.split('/').at(-1);
    return badRequest(`${object.kind} in version "${version}" cannot be handled as a ${object.kind}: ${why}`);
  };
  const decode = (value: Json, at: Schema, path: string, fields: string, owner: string): Json => {
    const found = resolve(at);
    if (value === null || value === undefined) return undefined;
    if (found.oneOf || found.format === 'int-or-string') {
      if (['string', 'number'].includes(typeof value)) return value;
      throw refuse(`json: cannot unmarshal ${kindOf(value)} into Go struct field ${owner}${fields} of type string`);
    }
    const expected = found.type;
    const wrong = () =>
      refuse(
        `json: cannot unmarshal ${kindOf(value)} into Go struct field ${owner}${fields} of type ${goType(found, at)}`,
      );
    if (expected === 'array') {
      if (!Array.isArray(value)) throw wrong();
      const name = typeName(found.items!) || owner;
      return value.map((item, i) => decode(item, found.items!, `${path}[${i}]`, fields, name));
    }
    if (expected === 'object') {
      if (typeof value !== 'object' || Array.isArray(value)) throw wrong();
      if (!found.properties) {
        if (!found.additionalProperties) return value;
        const entries = Object.entries<Json>(value).map(([key, item]) => [
          key,
          decode(item, found.additionalProperties!, `${path}.${key}`, fields, owner),
        ]);
        return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
      }
      const name = typeName(at) || owner;
      const kept: Json = {};
      for (const [key, item] of Object.entries<Json>(value)) {
        const child = path ? `${path}.${key}` : key;
        const property = found.properties[key];
        if (!property) unknown.push(child);
        else {
          const decoded = decode(item, property, child, `${fields}.${key}`, name);
          if (decoded !== undefined) kept[key] = decoded;
        }
      }
      return kept;
    }
    const matches =
      expected === undefined ||
      (expected === 'integer'
        ? Number.isInteger(value)
        : expected === 'number'
          ? typeof value === 'number'
          : typeof value === expected);
    if (!matches) throw wrong();
    return value;
  };
  return { object: decode(object, schema, '', '', object.kind), unknown };
}

/** Decodes what a client sent; `warn` gets a line for each unknown field unless the client wants an error or silence. */
export function decodeSent(object: KubeObject, validation: FieldValidation, warn: (text: string) => void): KubeObject {
  const { object: decoded, unknown } = decodeFields(object);
  const texts = unknown.map((path) => `unknown field "${path}"`);
  if (validation === 'Strict' && texts.length > 0) {
    const version = object.apiVersion.split('/').at(-1);
    throw badRequest(
      `${object.kind} in version "${version}" cannot be handled as a ${object.kind}: strict decoding error: ${texts.join(', ')}`,
    );
  }
  if (validation === 'Warn') texts.forEach(warn);
  return decoded;
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goType(schema: Schema, at: Schema): string {
  if (schema.type === 'array')
    return `[]${typeName(schema.items!) ? `v1.${typeName(schema.items!)}` : goType(schema.items!, schema.items!)}`;
  if (schema.type === 'integer') return schema.format ?? 'int';
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'object')
    return schema.properties
      ? `v1.${typeName(at)}`
      : `map[string]${goType(schema.additionalProperties ?? { type: 'string' }, {})}`;
  return schema.type ?? 'string';
}
