/** The member `snapshot` of a heap snapshot: how its rows are laid out, and how many it promises. */
import { NodeopsError } from '../../protocol/errors.ts';

export interface SnapshotMeta {
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly nodeWidth: number;
  readonly edgeWidth: number;
  readonly locationWidth: number;
  readonly nodeTypes: readonly string[];
  readonly edgeTypes: readonly string[];
  /** Positions inside a row; -1 where a version has no such field. */
  readonly node: Readonly<Record<'type' | 'name' | 'id' | 'self_size' | 'edge_count' | 'detachedness', number>>;
  readonly edge: Readonly<Record<'type' | 'name_or_index' | 'to_node', number>>;
  readonly location: Readonly<Record<'object_index' | 'script_id' | 'line' | 'column', number>>;
}

/** Two bits of an edge are ours, in 32: a billion nodes are 25 GB of file. */
const limitNodes = 2 ** 30 - 1;

export function damaged(problem: string): never {
  throw new NodeopsError('failed', `the heap snapshot is damaged: ${problem}`);
}

/** Checks that the promised rows could be in a file of that size before anything is allocated for them. */
export function readMeta(text: string, fileBytes: number): SnapshotMeta {
  let header: { meta: Record<string, unknown>; node_count: unknown; edge_count: unknown };
  try {
    header = JSON.parse(text);
  } catch {
    return damaged('its "snapshot" part is not valid JSON');
  }
  const meta = header?.meta;
  if (typeof meta !== 'object' || meta === null) damaged('its "snapshot" part has no "meta"');
  const nodeFields = names(meta.node_fields, 'node_fields');
  const edgeFields = names(meta.edge_fields, 'edge_fields');
  const locationFields = meta.location_fields === undefined ? [] : names(meta.location_fields, 'location_fields');
  const nodeCount = count(header.node_count, 'node_count', fileBytes, nodeFields.length);
  const edgeCount = count(header.edge_count, 'edge_count', fileBytes, edgeFields.length);
  if (nodeCount > limitNodes)
    throw new NodeopsError('too-large', `the heap snapshot has ${nodeCount} nodes; at most ${limitNodes} are read`);
  return {
    nodeCount,
    edgeCount,
    nodeWidth: nodeFields.length,
    edgeWidth: edgeFields.length,
    locationWidth: locationFields.length,
    nodeTypes: names(Array.isArray(meta.node_types) ? meta.node_types[0] : undefined, 'node_types'),
    edgeTypes: names(Array.isArray(meta.edge_types) ? meta.edge_types[0] : undefined, 'edge_types'),
    node: {
      ...at(nodeFields, ['type', 'name', 'id', 'self_size', 'edge_count'], 'node_fields'),
      detachedness: nodeFields.indexOf('detachedness'),
    },
    edge: at(edgeFields, ['type', 'name_or_index', 'to_node'], 'edge_fields'),
    location:
      locationFields.length > 0
        ? at(locationFields, ['object_index', 'script_id', 'line', 'column'], 'location_fields')
        : { object_index: -1, script_id: -1, line: -1, column: -1 },
  };
}

function names(value: unknown, field: string): string[] {
  // more than V8 has by far, and few enough to be told apart in a byte
  if (!Array.isArray(value) || value.length === 0 || value.length > 32)
    return damaged(`its "${field}" is no short list`);
  return value.map((name) => (typeof name === 'string' ? name : String(typeof name)));
}

function at<Name extends string>(fields: readonly string[], wanted: readonly Name[], list: string) {
  const positions = wanted.map((name) => [name, fields.indexOf(name)] as const);
  const [missing] = positions.find(([, position]) => position < 0) ?? [];
  if (missing !== undefined) damaged(`its "${list}" has no "${missing}"`);
  return Object.fromEntries(positions) as Record<Name, number>;
}

/** A number and its comma take two bytes at least. */
function count(value: unknown, field: string, fileBytes: number, width: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) damaged(`its "${field}" is no count`);
  if (value * width * 2 > fileBytes) damaged(`it promises a ${field} of ${value}, and has only ${fileBytes} bytes`);
  return value;
}
