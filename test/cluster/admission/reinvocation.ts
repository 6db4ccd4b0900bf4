/**
 * Which policies or webhooks of a request are called a second time: those with `reinvocationPolicy: IfNeeded`, when something after
 * them changed the object.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../api/types.ts';

export class Reinvocation {
  readonly #called = new Set<string>();
  readonly #again = new Set<string>();
  #output: KubeObject | undefined;

  /** At the start of a round; what others changed since the last one calls for all again. */
  begin(object: KubeObject, second: boolean): void {
    if (second && !isDeepStrictEqual(object, this.#output)) this.changed();
  }

  /** The object changed: whoever was called before is due again. */
  changed(): void {
    for (const key of this.#called) this.#again.add(key);
    this.#called.clear();
  }

  /** Whether to call it in a second round. */
  isDue(key: string): boolean {
    return this.#again.has(key);
  }

  called(key: string, policy: string): void {
    if (policy === 'IfNeeded') this.#called.add(key);
  }

  end(object: KubeObject): void {
    this.#output = object;
  }
}
