/** Groups of nodes that reach each other, as Tarjan finds them: each is one circle or several grown together. */
export function circles(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    const own = order.size;
    order.set(node, own);
    lowest.set(node, own);
    open.push(node);
    for (const other of next(node)) {
      const low = !order.has(other) ? visit(other) : open.includes(other) ? order.get(other)! : own;
      lowest.set(node, Math.min(lowest.get(node)!, low));
    }
    if (lowest.get(node) === own) {
      const group = open.splice(open.indexOf(node));
      if (group.length > 1) found.push(group.sort());
    }
    return lowest.get(node)!;
  };
  for (const node of nodes) if (!order.has(node)) visit(node);
  return found;
}
