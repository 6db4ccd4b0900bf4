/** Mutating admission in its order: the server's own, policies, webhooks, and all that once more where something changed. */
import { isDeepStrictEqual } from 'node:util';
import { resourceNamed } from '../api/resources.ts';
import type { Store } from '../api/store.ts';
import type { KubeObject } from '../api/types.ts';
import type { AdmissionAttributes, Warn } from './attributes.ts';
import type { DialService } from './call.ts';
import { isExempt } from './matching.ts';
import { applyPolicies } from './policies.ts';
import { Reinvocation } from './reinvocation.ts';
import { callWebhooks } from './webhooks.ts';

export interface OwnAdmission {
  /** Fills in defaults, as after every change. Returns the object. */
  defaulted(object: KubeObject): KubeObject;
  /** The server's own admission, such as a pod's service account. Returns the object. */
  admitted(object: KubeObject): KubeObject;
}

const kinds = ['mutatingadmissionpolicybindings', 'mutatingwebhookconfigurations'].map(resourceNamed);

export class Admission {
  readonly #store: Store;
  readonly #dial: DialService;

  constructor(store: Store, dial: DialService) {
    this.#store = store;
    this.#dial = dial;
  }

  /** Whether anybody might have a say; a cluster without policies and webhooks goes on as if there were no such thing. */
  get isConfigured(): boolean {
    return kinds.some((kind) => this.#store.list(kind).length > 0);
  }

  /** The object as admission leaves it. Throws what the request is refused with. */
  async mutate(attributes: AdmissionAttributes, sent: KubeObject, own: OwnAdmission, warn: Warn): Promise<KubeObject> {
    if (isExempt(attributes)) return sent;
    const policies = new Reinvocation();
    const webhooks = new Reinvocation();
    let object = sent;
    for (const second of [false, true]) {
      const admitted = own.admitted(own.defaulted(object));
      const { defaulted } = own;
      const mutated = applyPolicies(this.#store, attributes, admitted, policies, { second, defaulted });
      const dial = this.#dial;
      object = await callWebhooks(this.#store, attributes, mutated, webhooks, { second, dial, warn, defaulted });
      if (isDeepStrictEqual(object, admitted)) break;
    }
    return object;
  }
}
