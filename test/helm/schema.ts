import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Manifest } from './helm.ts';

const { kinds, definitions } = JSON.parse(readFileSync('test/fixtures/openapi/kubernetes-1.36.json', 'utf8')) as {
  kinds: Record<string, string>;
  definitions: object;
};
// formats of OpenAPI (int32, byte) say nothing that a typo would break; `x-` is taken out of the fixture
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
ajv.addSchema({ $id: 'kubernetes', definitions });
const compiled = new Map<string, ValidateFunction>();

/** What is wrong with a manifest by the API server's own schema; empty when nothing is. Throws for a kind that is not in the fixture. */
export function schemaErrors(manifest: Manifest): string[] {
  const kind = `${manifest.apiVersion}/${manifest.kind}`;
  const definition = kinds[kind];
  if (!definition) throw new Error(`no schema for ${kind}`);
  const validate = compiled.get(kind) ?? ajv.compile({ $ref: `kubernetes#/definitions/${definition}` });
  compiled.set(kind, validate);
  if (validate(manifest)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${kind} ${instancePath}: ${message} ${JSON.stringify(params)}`,
  );
}
