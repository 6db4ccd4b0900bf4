/** Writes as clients and controllers ask for them: mutating admission first, and a record of who set which field after. */
import type { Admission } from '../admission/admission.ts';
import type { AdmissionAttributes, Warn } from '../admission/attributes.ts';
import { FieldManagers } from '../apply/managers.ts';
import { applyDefaults } from './defaults.ts';
import { checkBody, needsDefaults, Objects } from './objects.ts';
import { orderMetadata } from './order.ts';
import { type Resource, resourceNamed } from './resources.ts';
import type { Store } from './store.ts';
import type { Json, KubeObject, User } from './types.ts';

const pods = resourceNamed('pods');

/** Who writes, and how: what admission and the record of field managers need to know. */
export interface Requester {
  readonly user: User;
  readonly dryRun: boolean;
  /** CreateOptions and the like, as webhooks get them. */
  readonly options: Json;
  /** Undefined for controllers, whose fields are not recorded. */
  readonly manager?: string;
  /** Set for server-side apply. */
  readonly applies?: Applies;
  readonly warn: Warn;
}

export interface Applies {
  readonly manager: string;
  readonly config: KubeObject;
  readonly force: boolean;
}

export class AdmittedObjects extends Objects {
  readonly #admission: Admission;
  readonly #managers: FieldManagers;

  constructor(store: Store, rootCertificate: string, admission: Admission) {
    super(store, rootCertificate);
    this.#admission = admission;
    this.#managers = new FieldManagers(store);
  }

  /** Creates what a client or a controller sent, after mutating admission. */
  async admitAndCreate(
    resource: Resource,
    namespace: string | undefined,
    body: KubeObject,
    by: Requester,
  ): Promise<KubeObject> {
    let sent = checkBody(resource, body);
    if (this.#admission.isConfigured) {
      const { name = '' } = sent.metadata;
      if (resource.namespaced) this.checkNamespace(resource, namespace!, name);
      const metadata = orderMetadata({ ...sent.metadata, ...(namespace ? { namespace } : {}) });
      sent = await this.#mutate(attributesOf(resource, namespace, name, by), { ...sent, metadata }, by.warn);
    }
    const created = this.create(resource, namespace, sent, by.dryRun);
    if (!by.dryRun) this.#note(by, undefined, created);
    return created;
  }

  /**
   * Changes an object, or a part of it, after mutating admission. `change` makes the new one of the live one; it is called again when
   * that has changed meanwhile. Without it the configuration of `by` is applied.
   */
  async admitAndUpdate(
    resource: Resource,
    { namespace, name }: { namespace: string | undefined; name: string },
    change: ((live: KubeObject) => KubeObject) | undefined,
    subresource: string | undefined,
    by: Requester,
  ): Promise<KubeObject> {
    for (;;) {
      const live = this.get(resource, namespace, name);
      let sent = change?.(live) ?? this.#applied(live, by.applies!);
      if (this.#admission.isConfigured) {
        const attributes = { ...attributesOf(resource, namespace, name, by), subresource, oldObject: live };
        const metadata = orderMetadata({ ...live.metadata, ...sent.metadata });
        sent = await this.#mutate({ ...attributes, operation: 'UPDATE' }, { ...sent, metadata }, by.warn);
        if (this.get(resource, namespace, name) !== live) continue;
      }
      const after = this.update(resource, live, sent, subresource, by.dryRun);
      if (!by.dryRun && subresource !== 'status') this.#note(by, live, after);
      return after;
    }
  }

  #applied(live: KubeObject, { manager, config, force }: Applies): KubeObject {
    return this.#managers.apply(manager, live, config, force);
  }

  #note({ manager, applies }: Requester, before: KubeObject | undefined, after: KubeObject): void {
    if (applies) this.#managers.applied(applies.manager, applies.config, before, after);
    else if (manager) this.#managers.updated(manager, before, after);
  }

  #mutate(attributes: AdmissionAttributes, object: KubeObject, warn: Warn): Promise<KubeObject> {
    const isNewPod = attributes.resource === pods && attributes.operation === 'CREATE';
    const own = {
      defaulted: (one: KubeObject) => {
        const copy = structuredClone(one);
        if (needsDefaults(copy)) applyDefaults(copy);
        return copy;
      },
      admitted: (one: KubeObject) => {
        if (isNewPod) this.admit(one);
        return one;
      },
    };
    return this.#admission.mutate(attributes, object, own, warn);
  }
}

function attributesOf(
  resource: Resource,
  namespace: string | undefined,
  name: string,
  { user, dryRun, options }: Requester,
): AdmissionAttributes {
  return { operation: 'CREATE', resource, ...(namespace ? { namespace } : {}), name, user, dryRun, options };
}
