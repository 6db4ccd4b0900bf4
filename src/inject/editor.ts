import type { Pod } from './pod.ts';

/** One operation of a JSON Patch (RFC 6902); only these kinds are produced. */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

type Key = string | number;

/**
 * A copy of a pod, edited in place, with every edit kept as a JSON Patch operation. The patch names only what changed, so
 * that it never undoes what another injector did (docs/adr/0502-patch-as-edited.md).
 */
export class PodEditor {
  readonly pod: Pod;
  readonly patch: PatchOperation[] = [];

  constructor(pod: Pod) {
    this.pod = structuredClone(pod);
  }

  /** Sets a field; the object that holds it must be there. */
  set(keys: readonly Key[], value: unknown): void {
    const [holder, last] = this.holder(keys);
    if (JSON.stringify(holder[last]) === JSON.stringify(value)) return;
    holder[last] = structuredClone(value);
    this.patch.push({ op: 'add', path: pointer(keys), value });
  }

  /** Adds to the end of a list, or to its start; a list that is not there is created. */
  insert(keys: readonly Key[], value: unknown, where: 'first' | 'last'): void {
    const [holder, last] = this.holder(keys);
    if (holder[last] === undefined || holder[last] === null) {
      holder[last] = [];
      this.patch.push({ op: 'add', path: pointer(keys), value: [] });
    }
    const list = holder[last] as unknown[];
    if (where === 'last') list.push(structuredClone(value));
    else list.unshift(structuredClone(value));
    this.patch.push({ op: 'add', path: pointer([...keys, where === 'last' ? '-' : 0]), value });
  }

  /** Removes a field if it is there. */
  remove(keys: readonly Key[]): void {
    const [holder, last] = this.holder(keys);
    if (!Object.hasOwn(holder, last)) return;
    delete holder[last];
    this.patch.push({ op: 'remove', path: pointer(keys) });
  }

  private holder(keys: readonly Key[]): [Record<Key, unknown>, Key] {
    let holder = this.pod as unknown as Record<Key, unknown>;
    for (const [depth, key] of keys.slice(0, -1).entries()) {
      if (holder[key] === undefined || holder[key] === null) {
        holder[key] = {};
        this.patch.push({ op: 'add', path: pointer(keys.slice(0, depth + 1)), value: {} });
      }
      holder = holder[key] as Record<Key, unknown>;
    }
    return [holder, keys.at(-1)!];
  }
}

/** JSON Pointer (RFC 6901). */
function pointer(keys: readonly Key[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
