/** Snapshots made by hand: the smallest JSON that V8 could have written. */

export type MadeNode = readonly [type: string, name: string, selfBytes: number];
export type MadeEdge = readonly [from: number, type: string, name: string | number, to: number];

const nodeTypes =
  'hidden,array,string,object,code,closure,regexp,number,native,synthetic,concatenated string,sliced string'.split(',');
const edgeTypes = 'context,element,property,internal,hidden,shortcut,weak'.split(',');
const meta = {
  node_fields: ['type', 'name', 'id', 'self_size', 'edge_count', 'trace_node_id', 'detachedness'],
  node_types: [nodeTypes, 'string', 'number', 'number', 'number', 'number', 'number'],
  edge_fields: ['type', 'name_or_index', 'to_node'],
  edge_types: [edgeTypes, 'string_or_number', 'node'],
  location_fields: ['object_index', 'script_id', 'line', 'column'],
};

/** Node 0 is the root; ids are odd numbers from 1. */
export function made(nodes: readonly MadeNode[], edges: readonly MadeEdge[]): object {
  const strings: string[] = [''];
  const text = (name: string) => {
    const at = strings.indexOf(name);
    return at >= 0 ? at : strings.push(name) - 1;
  };
  const rows = nodes.flatMap(([type, name, self], node) => [
    nodeTypes.indexOf(type),
    text(name),
    2 * node + 1,
    self,
    edges.filter(([from]) => from === node).length,
    0,
    0,
  ]);
  const edgeRows = nodes.flatMap((_, node) =>
    edges
      .filter(([from]) => from === node)
      .flatMap(([, type, name, to]) => [
        edgeTypes.indexOf(type),
        typeof name === 'number' ? name : text(name),
        to * meta.node_fields.length,
      ]),
  );
  return {
    snapshot: { meta, node_count: nodes.length, edge_count: edges.length, trace_function_count: 0 },
    nodes: rows,
    edges: edgeRows,
    trace_function_infos: [],
    trace_tree: [],
    samples: [],
    locations: [],
    strings,
  };
}
