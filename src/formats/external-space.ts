/** What ArrayBuffers hold is outside of V8's heap, and in no sample: only the small objects that stand for them are. */
import type { HeapNode, HeapProfile } from './heapprofile.ts';

/** Functions below which an ArrayBuffer or a view of one is made. */
const makesBuffers =
  /^(?:ArrayBuffer|SharedArrayBuffer|FastBuffer|createUnsafeBuffer|[A-Z]\w*Array|DataView|slice|subarray|alloc\w*|from|concat|copyBytesFrom)$/;

/** By node: its share of the bytes, by samples whose stack makes buffers. Empty where none does. */
export function sharedBuffers({ head, samples }: HeapProfile, bytes: number): Map<number, number> {
  const makers = new Set<number>();
  const open: { node: HeapNode; inside: boolean }[] = [{ node: head, inside: false }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { functionName, url } = next.node.callFrame;
    const own = url === '' || url.startsWith('node:');
    const inside = own && (next.inside || makesBuffers.test(functionName));
    if (inside) makers.add(next.node.id);
    for (const node of next.node.children) open.push({ node, inside });
  }
  const counts = new Map<number, number>();
  let all = 0;
  for (const { nodeId } of samples)
    if (makers.has(nodeId)) {
      counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
      all++;
    }
  let seen = 0;
  const shares = new Map<number, number>();
  // whole bytes, nothing lost
  for (const [id, count] of counts) {
    shares.set(id, Math.round((bytes * (seen + count)) / all) - Math.round((bytes * seen) / all));
    seen += count;
  }
  return shares;
}
