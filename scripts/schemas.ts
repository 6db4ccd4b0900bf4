/** `docs/schema` of what `-o json` prints, from the types of the replies: `npm run docs` writes them, a test fails when they drift. */
import { createGenerator, type SchemaGenerator } from 'ts-json-schema-generator';
import type { OperationName } from '../src/protocol/operations.ts';

/** File name of each schema: the command's name. */
export const schemas: Readonly<Record<string, { operation: OperationName | 'why'; reply: string }>> = {
  stats: { operation: 'stats', reply: 'StatsReply' },
  memstats: { operation: 'memstats', reply: 'MemstatsReply' },
  stack: { operation: 'stack', reply: 'StackReply' },
  waits: { operation: 'waits', reply: 'WaitsReply' },
  requests: { operation: 'requests', reply: 'RequestsReply' },
  exceptions: { operation: 'exceptions', reply: 'ExceptionsReply' },
  list: { operation: 'processes', reply: 'ProcessesReply' },
  process: { operation: 'process', reply: 'ProcessReply' },
  history: { operation: 'history', reply: 'HistoryReply' },
  gc: { operation: 'gc', reply: 'GcReply' },
  why: { operation: 'why', reply: 'WhyReply' },
};

/** What the plugin checks replies against. */
export const checkedSchemaPath = 'src/plugin/client/replies.schema.json';

type Json = Record<string, unknown>;

const nullable = (type: string): Json => ({ type: [type, 'null'] });
const object = (properties: Json): Json => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const version = { const: 'nodeops/v1' };
const target = object({
  ...{ namespace: nullable('string'), pod: nullable('string'), container: nullable('string') },
  ...{ pid: nullable('integer'), address: nullable('string') },
});

export function replyTypes(): SchemaGenerator {
  return createGenerator({
    path: 'src/{protocol/replies,why/reply}.ts',
    tsconfig: 'tsconfig.json',
    type: '*',
    additionalProperties: false,
    expose: 'export',
    skipTypeCheck: true,
    jsDoc: 'basic',
  });
}

/** Longer text and longer lists than any agent sends. */
const bounds = { string: { maxLength: 256 * 1024 }, array: { maxItems: 200_000 } } as const;

/**
 * The same types for the plugin, which checks every reply against them before it looks at it: bounded, and open to members and
 * words that a newer agent may have.
 */
export function checkedSchemaText(types: SchemaGenerator): string {
  const { definitions = {} } = types.createSchema(['NativeEvidence', 'Replies']);
  return `${JSON.stringify({ definitions: opened(definitions) }, null, 1)}\n`;
}

function opened(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(opened);
  if (typeof schema !== 'object' || schema === null) return schema;
  const { additionalProperties, description: _, enum: words, ...rest } = schema as Json;
  const types = [rest.type].flat();
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, opened(value)])),
    ...(typeof additionalProperties === 'object' && { additionalProperties: opened(additionalProperties) }),
    // a list of words is today's; null among them is told by the type
    ...(words !== undefined && rest.type === undefined && { enum: words }),
    ...(types.includes('string') && rest.const === undefined && bounds.string),
    ...(types.includes('array') && bounds.array),
  };
}

/** The text of `docs/schema/NAME.schema.json`. */
export function schemaText(types: SchemaGenerator, name: string): string {
  const { operation, reply } = schemas[name]!;
  const { definitions = {} } = types.createSchema(['NativeEvidence', reply, ...(name === 'why' ? ['WhyGroup'] : [])]);
  const answer = object({
    ...{ target, schema: version, operation: { const: operation }, at: { type: 'string' } },
    process: object({ container: nullable('string'), pid: { type: 'integer' } }),
    data: { $ref: `#/$defs/${reply}` },
    stuck: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/NativeEvidence' }] },
    notes: { type: 'array', items: { type: 'string' } },
  });
  const error = {
    type: 'object',
    properties: { code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' }, detail: {} },
    required: ['code', 'message'],
    additionalProperties: false,
  };
  const list = object({
    ...{ schema: version, kind: { const: 'List' }, operation: { const: operation } },
    items: { type: 'array', items: { anyOf: [{ $ref: '#/$defs/answer' }, { $ref: '#/$defs/failure' }] } },
    ...(name === 'why' ? { groups: { type: 'array', items: { $ref: '#/$defs/WhyGroup' } } } : {}),
  });
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://nodeops.dev/schema/v1/${name}.schema.json`,
    title: `nodeops ${name} -o json, schema nodeops/v1`,
    anyOf: [{ $ref: '#/$defs/answer' }, { $ref: '#/$defs/list' }],
    $defs: { answer, failure: object({ schema: version, target, error }), list, ...definitions },
  };
  return `${JSON.stringify(schema, null, 2).replaceAll('#/definitions/', '#/$defs/')}\n`;
}
