/**
 * /openapi/v3: the schemas, and of the paths what clients look up there: that the server validates fields (`fieldValidation`), for
 * which kinds. Groups whose schemas were not recorded are not listed.
 */
import { apiVersionOf, type Resource, resources } from '../api/resources.ts';
import type { Json } from '../api/types.ts';
import { definitions, type Schema, schemaOf } from './schemas.ts';

const documents = new Map<string, Json>();

function described(): Map<string, Resource[]> {
  const found = new Map<string, Resource[]>();
  for (const resource of resources) {
    const root = `${resource.group ? 'apis' : 'api'}/${apiVersionOf(resource)}`;
    if (schemaOf(apiVersionOf(resource), resource.kind)) found.set(root, [...(found.get(root) ?? []), resource]);
  }
  return found;
}

/** The index, or the document of one group and version (`apis/apps/v1`); undefined for any other path. */
export function openApi(path: string): Json | undefined {
  if (path === '/openapi/v3') {
    const paths = [...described().keys()].map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }]);
    return { paths: Object.fromEntries(paths) };
  }
  const root = path.replace(/^\/openapi\/v3\//, '');
  const listed = described().get(root);
  if (!listed) return undefined;
  if (!documents.has(root)) documents.set(root, document(root, listed));
  return documents.get(root);
}

function document(root: string, listed: readonly Resource[]): Json {
  const schemas: Record<string, Schema> = {};
  const add = (value: Json): void => {
    if (typeof value !== 'object' || value === null) return;
    if (typeof value.$ref === 'string') {
      const name = value.$ref.slice(value.$ref.lastIndexOf('/') + 1);
      if (!schemas[name]) {
        schemas[name] = definitions()[name]!;
        add(schemas[name]);
      }
    }
    for (const inner of Object.values(value)) add(inner);
  };
  const names = new Map(Object.entries(definitions()).map(([name, schema]) => [schema, name]));
  const paths: Json = {};
  for (const resource of listed) {
    const apiVersion = apiVersionOf(resource);
    const schema = schemaOf(apiVersion, resource.kind)!;
    add({ $ref: `#/components/schemas/${names.get(schema)}` });
    if (!resource.verbs.includes('patch')) continue;
    const path = `/${root}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${resource.resource}/{name}`;
    const kind = { group: resource.group, kind: resource.kind, version: resource.version };
    const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
      name,
      in: 'query',
      schema: { type: 'string', uniqueItems: true },
    }));
    paths[path] = { patch: { 'x-kubernetes-action': 'patch', 'x-kubernetes-group-version-kind': kind, parameters } };
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.36.2' },
    paths,
    components: { schemas },
  };
}
