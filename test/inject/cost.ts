/**
 * What evaluating a policy costs, by the prices of the API server's CEL (cel-go interpreter/runtimecost.go): one for an identifier, a
 * field, an index or a call, 10 for a list, 30 for a map, 40 for a message, and what each step of a loop takes besides. Strings are priced
 * at a tenth of their length there and at nothing here, so limits are to be kept by a wide margin.
 */
import { Environment } from '@marcbachmann/cel-js';
import type { Pod } from '../../src/inject/pod.ts';
import type { Manifest } from '../helm/helm.ts';
import { evaluatePolicy } from './cel.ts';

interface Node {
  readonly op: string;
  readonly args: unknown;
}
type Evaluate = (evaluator: unknown, node: Node, context: unknown) => unknown;

/** Of one expression, and of all that are evaluated for one mutation (k8s.io/apiserver/pkg/apis/cel). */
export const apiServerLimits = { expression: 1_000_000, mutation: 10_000_000 };

const prices: Readonly<Record<string, number>> = {
  value: 0,
  '?:': 0,
  '&&': 0,
  '||': 0,
  list: 10,
  map: 40,
  accuPush: 11,
};
/** The loop's condition, and the result so far read and joined. */
const stepPrice = 5;

/** The cost of everything that is evaluated for a pod. */
export function costOf(policy: Manifest, pod: Pod): number {
  let cost = 0;
  const steps = new WeakSet<Node>();
  const counted = (evaluate: Evaluate): Evaluate =>
    function (this: Node, evaluator, node, context) {
      cost += (prices[this.op] ?? 1) + (steps.has(this) ? stepPrice : 0);
      if (this.op === 'comprehension') steps.add((this.args as { step: Node }).step);
      return evaluate.call(this, evaluator, node, context);
    };
  const prototype = Object.getPrototypeOf((new Environment().parse('true') as unknown as { ast: Node }).ast);
  const own = Object.getOwnPropertyDescriptor(prototype, 'evaluate')!;
  // the library puts another function on a node when it is first evaluated
  Object.defineProperty(prototype, 'evaluate', {
    configurable: true,
    get: () => own.value,
    set(this: Node, evaluate: Evaluate) {
      Object.defineProperty(this, 'evaluate', { configurable: true, writable: true, value: counted(evaluate) });
    },
  });
  try {
    evaluatePolicy(policy, pod);
    return cost;
  } finally {
    Object.defineProperty(prototype, 'evaluate', own);
  }
}
