/** Names, numbers and sizes of a heap's nodes. */
import { NumberList } from '../number-list.ts';
import { damaged } from './meta.ts';
import { chunkBytes, type Parsed, type Steps } from './parse.ts';
import type { ByteSource } from './source.ts';

type Columns = [Uint32Array, Uint32Array, Uint32Array];

export interface NodeColumns {
  readonly names: Uint32Array;
  readonly ids: Uint32Array;
  /** Sizes of 4 GiB and more are in `large`. */
  readonly sizes: Uint32Array;
  readonly large: ReadonlyMap<number, number>;
}

/**
 * What the first pass left out of the nodes, so that it need not be there while dominators are looked for; in the memory of
 * what was needed for them only, where it fits.
 */
export function* readColumns(
  source: ByteSource,
  { meta, nodesAtByte, strings }: Parsed,
  free: ArrayBufferLike,
): Steps<NodeColumns> {
  const { nodeCount, nodeWidth } = meta;
  const { name: nameAt, id: idAt, self_size: sizeAt } = meta.node;
  const columnBytes = 4 * nodeCount;
  const space = free.byteLength >= 3 * columnBytes ? free : new ArrayBuffer(3 * columnBytes);
  const [names, ids, sizes] = [0, 1, 2].map((i) => new Uint32Array(space, i * columnBytes, nodeCount)) as Columns;
  const large = new Map<number, number>();
  let node = 0;
  const list = new NumberList((values, count) => {
    for (let i = 0; i + nodeWidth <= count; i += nodeWidth, node++) {
      const [name, size] = [values[i + nameAt]!, values[i + sizeAt]!];
      if (name >= strings.length) damaged(`node ${node} names string ${name} of ${strings.length}`);
      names[node] = name;
      ids[node] = values[i + idAt]!;
      sizes[node] = Math.min(size, 0xffff_ffff);
      if (size >= 0xffff_ffff) large.set(node, size);
    }
  }, nodeWidth);
  const buffer = new Uint8Array(chunkBytes);
  for (let at = nodesAtByte; !list.ended; at += buffer.length) {
    const count = source.read(buffer, at);
    if (count === 0 || list.write(buffer.subarray(0, count), 0, at) < 0) damaged('it changed while it was read');
    yield node / nodeCount;
  }
  return { names, ids, sizes, large };
}
