/** Objects in memory with resource versions and a bounded history, as much of etcd as an API server shows. */
import { EventEmitter } from 'node:events';
import { orderMetadata } from './order.ts';
import type { Resource } from './resources.ts';
import { gone } from './status.ts';
import type { KubeObject } from './types.ts';

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubeObject;
  /** The object before, for watches whose selector it left. */
  readonly previous: KubeObject | undefined;
  readonly version: number;
}

/** Changes kept for watches that start in the past; an older start is `410 Gone`. */
const historyLength = 5000;

export class Store {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #events = new EventEmitter().setMaxListeners(0);
  #history: Change[] = [];
  #version = 100;

  get version(): number {
    return this.#version;
  }

  #table(resource: Resource): Map<string, KubeObject> {
    const key = `${resource.group}/${resource.resource}`;
    const table = this.#objects.get(key) ?? new Map<string, KubeObject>();
    this.#objects.set(key, table);
    return table;
  }

  get(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.#table(resource).get(`${namespace ?? ''}/${name}`);
  }

  /** Sorted by namespace and name, as etcd's keys are. */
  list(resource: Resource, namespace?: string): KubeObject[] {
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    return [...this.#table(resource)]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, object]) => object);
  }

  /** Stores a copy with a new resource version and tells the watches. Objects in the store are never changed in place. */
  put(resource: Resource, object: KubeObject): KubeObject {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const table = this.#table(resource);
    const previous = table.get(key);
    const version = ++this.#version;
    const stored = { ...object, metadata: orderMetadata({ ...object.metadata, resourceVersion: String(version) }) };
    table.set(key, stored);
    this.#announce({ type: previous ? 'MODIFIED' : 'ADDED', resource, object: stored, previous, version });
    return stored;
  }

  remove(resource: Resource, namespace: string | undefined, name: string): KubeObject | undefined {
    const key = `${namespace ?? ''}/${name}`;
    const previous = this.#table(resource).get(key);
    if (!previous) return undefined;
    this.#table(resource).delete(key);
    const version = ++this.#version;
    const object = { ...previous, metadata: { ...previous.metadata, resourceVersion: String(version) } };
    this.#announce({ type: 'DELETED', resource, object, previous, version });
    return object;
  }

  #announce(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > historyLength * 1.2) this.#history = this.#history.slice(-historyLength);
    this.#events.emit('change', change);
  }

  /** Changes after that version. Throws `410 Gone` when the history no longer reaches back to it. */
  since(version: number): Change[] {
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (version + 1 < oldest && this.#history.length >= historyLength)
      throw gone(`too old resource version: ${version} (${oldest})`);
    return this.#history.filter((change) => change.version > version);
  }

  /** Calls `listener` for each change from now on; returns what stops it. */
  onChange(listener: (change: Change) => void): () => void {
    this.#events.on('change', listener);
    return () => this.#events.off('change', listener);
  }
}
