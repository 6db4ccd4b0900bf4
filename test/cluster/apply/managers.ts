/**
 * Who set which field: what server-side apply needs to know for its conflicts, and for taking away what a manager no longer
 * applies. Kept beside the objects; `metadata.managedFields` is not shown.
 */
import { ApiError, type Cause } from '../api/status.ts';
import type { Store } from '../api/store.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { agree, type FieldSet, fieldName, fieldSet, removeAt, schemaOfObject } from './fields.ts';
import { structuredMerge } from './merge.ts';

interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  fields: FieldSet;
}

export class FieldManagers {
  readonly #managers = new Map<string, Manager[]>();

  constructor(store: Store) {
    store.onChange(({ type, object }) => {
      if (type === 'DELETED') this.#managers.delete(object.metadata.uid);
    });
  }

  /** Notes what a create, update or patch has set, and takes it from whoever had it before. */
  updated(name: string, before: KubeObject | undefined, after: KubeObject): void {
    const own = this.#manager(after, name, 'Update');
    const now = fieldSet(after);
    for (const [text, path] of now) if (!before || !agree(before, after, path)) own.fields.set(text, path);
    for (const manager of this.#managers.get(after.metadata.uid)!)
      for (const [text, path] of manager.fields) {
        const theirs = manager !== own && before && !agree(before, after, path);
        if (theirs || !now.has(text)) manager.fields.delete(text);
      }
  }

  /**
   * The live object with a configuration applied by a manager: merged, and without what that manager applied before and no longer does.
   * Throws 409 where others have set another value, unless `force`.
   */
  apply(name: string, live: KubeObject, config: KubeObject, force: boolean): KubeObject {
    const managers = this.#managers.get(live.metadata.uid) ?? [];
    const own = managers.find((manager) => manager.name === name && manager.operation === 'Apply');
    const others = managers.filter((manager) => manager !== own);
    const applied = fieldSet(config);
    const conflicts: { manager: Manager; text: string; field: string }[] = [];
    for (const [text, path] of applied)
      for (const manager of others)
        if (manager.fields.has(text) && !agree(live, config, path))
          conflicts.push({ manager, text, field: fieldName(path) });
    if (conflicts.length > 0 && !force) throw conflict(conflicts);
    const merged = structuredClone(structuredMerge(schemaOfObject(live), live, config)) as KubeObject;
    for (const [text, path] of own?.fields ?? []) {
      if (applied.has(text)) continue;
      const prefix = text.slice(0, -1);
      const kept = others.some(({ fields }) =>
        [...fields.keys()].some((one) => one === text || one.startsWith(`${prefix},`)),
      );
      if (!kept) removeAt(merged, path);
    }
    return merged;
  }

  /** Notes what was applied; others lose what was taken from them by force. */
  applied(name: string, config: KubeObject, before: KubeObject | undefined, after: KubeObject): void {
    const own = this.#manager(after, name, 'Apply');
    own.fields = fieldSet(config);
    for (const manager of this.#managers.get(after.metadata.uid)!)
      if (manager !== own)
        for (const [text, path] of manager.fields)
          if (before && !agree(before, after, path)) manager.fields.delete(text);
  }

  #manager({ apiVersion, metadata }: KubeObject, name: string, operation: Manager['operation']): Manager {
    const all = this.#managers.get(metadata.uid) ?? [];
    this.#managers.set(metadata.uid, all);
    const known = all.find((manager) => manager.name === name && manager.operation === operation);
    const found = known ?? { name, operation, apiVersion, fields: new Map() };
    if (!known) all.push(found);
    return found;
  }
}

function conflict(found: readonly { manager: Manager; field: string }[]): ApiError {
  const who = ({ name, operation, apiVersion }: Manager) =>
    `conflict with ${JSON.stringify(name)}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
  const causes: Cause[] = found.map(({ manager, field }) => ({
    reason: 'FieldManagerConflict',
    message: who(manager),
    field,
  }));
  const count = `${found.length} conflict${found.length > 1 ? 's' : ''}`;
  const fields = new Map<string, string[]>();
  for (const { manager, field } of found) fields.set(who(manager), [...(fields.get(who(manager)) ?? []), field]);
  const lines = [...fields].map(([text, names]) =>
    names.length === 1 ? `${text}: ${names[0]}` : `${text}:\n${names.map((name) => `- ${name}`).join('\n')}`,
  );
  const message = `Apply failed with ${count}: ${lines.join('\n')}`;
  return new ApiError(409, 'Conflict', message, { causes } as Json);
}
