// Bundled and minified by the test, with a source map: positions asked for are those of this file.
import { writeSync } from 'node:fs';

interface Order {
  id: number;
}

export function priceOrders(orders: Order[]): never {
  let sum = 0;
  writeSync(3, 'going');
  while (sum >= 0) for (const order of orders) sum += order.id;
  throw new Error('more than there is');
}

process.stdin.once('data', () => priceOrders([{ id: 1 }]));
writeSync(1, 'up\n');
