/** Create, update, patch and delete of objects, with defaults, validation and admission: what the handlers and the controllers share. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { timestamp } from '../kubelet/podstatus.ts';
import { later } from '../pace.ts';
import { admitPod, applyDefaults, defaultContainer, firstStatus, randomSuffix } from './defaults.ts';
import { inOrder, orderMetadata } from './order.ts';
import { checkPodSecurity } from './podsecurity.ts';
import { apiVersionOf, type Resource, resourceNamed } from './resources.ts';
import { alreadyExists, badRequest, conflict, forbidden, notFound } from './status.ts';
import type { Store } from './store.ts';
import type { Json, KubeObject } from './types.ts';
import { validateEphemeral, validateNew, validateUpdate } from './validation.ts';

const pods = resourceNamed('pods');
const namespaces = resourceNamed('namespaces');

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** Kinds whose spec has a generation. */
const generations = new Set([
  'Pod',
  'Deployment',
  'ReplicaSet',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
  'Ingress',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'MutatingAdmissionPolicy',
  'ValidatingAdmissionPolicy',
]);

export class Objects {
  readonly store: Store;
  readonly #rootCertificate: string;

  constructor(store: Store, rootCertificate: string) {
    this.store = store;
    this.#rootCertificate = rootCertificate;
  }

  get(resource: Resource, namespace: string | undefined, name: string): KubeObject {
    const found = this.store.get(resource, namespace, name);
    if (!found) throw notFound(resource.group, resource.resource, name);
    return found;
  }

  create(resource: Resource, namespace: string | undefined, body: KubeObject, dryRun = false): KubeObject {
    const object = checkBody(resource, body);
    const { metadata } = object;
    if (metadata.namespace && metadata.namespace !== namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    if (!metadata.name && metadata.generateName) metadata.name = metadata.generateName + randomSuffix();
    object.metadata = orderMetadata({
      ...metadata,
      ...(namespace && resource.namespaced ? { namespace } : {}),
      uid: randomUUID(),
      creationTimestamp: timestamp(),
      ...(generations.has(object.kind) ? { generation: 1 } : {}),
    });
    if (resource.namespaced) this.checkNamespace(resource, namespace!, object.metadata.name);
    if (this.store.get(resource, object.metadata.namespace, object.metadata.name))
      throw alreadyExists(resource.group, resource.resource, object.metadata.name);
    if (needsDefaults(object)) applyDefaults(object);
    delete object.status;
    if (object.kind === 'Pod') {
      this.admit(object);
      // validating, and so after all that may have changed the pod
      if (object.spec) checkPodSecurity(this.store.get(namespaces, undefined, namespace!), object);
    }
    const problem = validateNew(resource, object);
    if (problem) throw problem;
    if (object.kind === 'Pod') object.status = { observedGeneration: 1, phase: 'Pending', ...qos(object) };
    else if (firstStatus[object.kind]) object.status = structuredClone(firstStatus[object.kind]);
    if (dryRun) return { ...object, metadata: { ...object.metadata, resourceVersion: '' } };
    const stored = this.store.put(resource, inOrder(object));
    if (object.kind === 'Namespace') later('namespace', () => this.#furnish(stored.metadata.name));
    return stored;
  }

  protected checkNamespace(resource: Resource, namespace: string, name: string): void {
    const found = this.store.get(namespaces, undefined, namespace);
    if (!found) throw notFound('', 'namespaces', namespace);
    if (found.metadata.deletionTimestamp)
      throw forbidden(
        resource.group,
        resource.resource,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
  }

  /** What the server itself adds to a new pod. Throws 403 where it must not be created. */
  protected admit(pod: KubeObject): void {
    const account = pod.spec?.serviceAccountName ?? 'default';
    const { namespace, name } = pod.metadata;
    if (!this.store.get(resourceNamed('serviceaccounts'), namespace, account))
      throw forbidden(
        '',
        'pods',
        name,
        `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
      );
    if (pod.spec?.ephemeralContainers?.length)
      throw forbidden('', 'pods', name, 'may not be set on create: spec.ephemeralContainers');
    if (Array.isArray(pod.spec?.containers)) admitPod(pod);
  }

  /** What every namespace has from the start. */
  #furnish(namespace: string): void {
    const found = this.store.get(namespaces, undefined, namespace);
    if (!found || found.metadata.deletionTimestamp) return;
    const make = (resource: string, object: Json) =>
      this.create(resourceNamed(resource), namespace, { apiVersion: 'v1', ...object });
    make('serviceaccounts', { kind: 'ServiceAccount', metadata: { name: 'default' } });
    make('configmaps', {
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt' },
      data: { 'ca.crt': this.#rootCertificate },
    });
  }

  /** Replaces the object, or only the part that a subresource owns. */
  update(resource: Resource, before: KubeObject, body: KubeObject, subresource?: string, dryRun = false): KubeObject {
    const sent = checkBody(resource, body);
    const { name, namespace, uid, resourceVersion } = before.metadata;
    if (sent.metadata.name !== undefined && sent.metadata.name !== name)
      throw badRequest(`the name of the object (${sent.metadata.name}) does not match the name on the URL (${name})`);
    if (sent.metadata.uid && sent.metadata.uid !== uid)
      throw conflict(
        resource.group,
        resource.resource,
        name,
        `Precondition failed: UID in precondition: ${sent.metadata.uid}, UID in object meta: ${uid}`,
      );
    if (sent.metadata.resourceVersion && sent.metadata.resourceVersion !== resourceVersion)
      throw conflict(
        resource.group,
        resource.resource,
        name,
        'the object has been modified; please apply your changes to the latest version and try again',
      );
    const fixed = {
      name,
      namespace,
      uid,
      creationTimestamp: before.metadata.creationTimestamp,
      resourceVersion,
      deletionTimestamp: before.metadata.deletionTimestamp,
      deletionGracePeriodSeconds: before.metadata.deletionGracePeriodSeconds,
    };
    let after: KubeObject = { ...sent, metadata: { ...sent.metadata, ...fixed } };
    if (subresource === 'status') after = { ...before, status: sent.status };
    else if (subresource === 'ephemeralcontainers') after = this.#ephemeral(before, sent);
    else {
      if (needsDefaults(after)) applyDefaults(after);
      after.status = before.status;
      if (after.status === undefined) delete after.status;
      const problem = validateUpdate(resource, before, after);
      if (problem) throw problem;
    }
    const changed = !isDeepStrictEqual(plain(before.spec), plain(after.spec));
    const generation =
      before.metadata.generation === undefined ? undefined : before.metadata.generation + (changed ? 1 : 0);
    after.metadata = orderMetadata({ ...after.metadata, generation });
    if (isDeepStrictEqual(plain(before), plain(after))) return before;
    if (dryRun) return after;
    if (after.metadata.deletionTimestamp && !after.metadata.finalizers?.length && resource !== pods)
      return this.#removeNow(resource, after);
    return this.store.put(resource, inOrder(after));
  }

  #ephemeral(before: KubeObject, sent: KubeObject): KubeObject {
    const added: Json[] = structuredClone(sent.spec?.ephemeralContainers ?? []);
    for (const container of added) defaultContainer(container);
    const after = { ...before, metadata: { ...before.metadata }, spec: { ...before.spec, ephemeralContainers: added } };
    // PodSecurity is asked before validation, as admission is
    checkPodSecurity(this.store.get(namespaces, undefined, before.metadata.namespace), after);
    const problem = validateEphemeral(before, after);
    if (problem) throw problem;
    return after;
  }

  /** Returns the object when it lives on for its grace period, undefined when it is gone. */
  delete(resource: Resource, object: KubeObject, options: DeleteOptions = {}): KubeObject | undefined {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const { preconditions } = options;
    if (preconditions?.uid && preconditions.uid !== uid)
      throw conflict(
        resource.group,
        resource.resource,
        name,
        `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`,
      );
    if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion)
      throw conflict(
        resource.group,
        resource.resource,
        name,
        `Precondition failed: ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
      );
    if (options.propagationPolicy === 'Orphan') this.#orphan(uid, namespace);
    if (resource === namespaces) return this.#terminate(object);
    if (resource === pods && object.spec.nodeName) {
      const over = ['Succeeded', 'Failed'].includes(object.status?.phase);
      const grace = over ? 0 : (options.gracePeriodSeconds ?? object.spec.terminationGracePeriodSeconds);
      if (grace > 0 || over) return this.#beginDeletion(resource, object, grace);
      return void this.#removeNow(resource, object);
    }
    if (object.metadata.finalizers?.length) return this.#beginDeletion(resource, object, undefined);
    return void this.#removeNow(resource, object);
  }

  #beginDeletion(resource: Resource, object: KubeObject, grace: number | undefined): KubeObject {
    const { metadata } = object;
    const sooner = metadata.deletionTimestamp && grace !== undefined && grace >= metadata.deletionGracePeriodSeconds;
    if (sooner) return object;
    const deletion = {
      deletionTimestamp: timestamp(new Date(Date.now() + (grace ?? 0) * 1000)),
      deletionGracePeriodSeconds: grace ?? 0,
    };
    const generation = metadata.generation === undefined ? undefined : metadata.generation + 1;
    return this.store.put(resource, { ...object, metadata: orderMetadata({ ...metadata, generation, ...deletion }) });
  }

  #removeNow(resource: Resource, object: KubeObject): KubeObject {
    this.store.remove(resource, object.metadata.namespace, object.metadata.name);
    return object;
  }

  #terminate(namespace: KubeObject): KubeObject {
    if (namespace.metadata.deletionTimestamp) return namespace;
    const metadata = orderMetadata({ ...namespace.metadata, deletionTimestamp: timestamp() });
    return this.store.put(namespaces, { ...namespace, metadata, status: { phase: 'Terminating' } });
  }

  #orphan(owner: string, namespace: string | undefined): void {
    for (const kind of ['pods', 'replicasets', 'jobs']) {
      const resource = resourceNamed(kind);
      for (const object of this.store.list(resource, namespace)) {
        const references = object.metadata.ownerReferences?.filter((reference: Json) => reference.uid !== owner);
        if (references && references.length < object.metadata.ownerReferences.length)
          this.store.put(resource, {
            ...object,
            metadata: { ...object.metadata, ownerReferences: references.length ? references : undefined },
          });
      }
    }
  }
}

/** Whether there are defaults for its kind. */
export function needsDefaults(object: KubeObject): boolean {
  return (
    object.spec !== undefined || object.webhooks || object.roleRef || ['Namespace', 'Secret'].includes(object.kind)
  );
}

function plain(value: Json): Json {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function qos(pod: KubeObject): Json {
  const resources = pod.spec.containers.some((c: Json) => Object.keys(c.resources ?? {}).length);
  return { qosClass: resources ? 'Burstable' : 'BestEffort' };
}

/** The body as an object of that resource. Throws 400 where it is none. */
export function checkBody(resource: Resource, body: Json): KubeObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('the object provided is unrecognized (must be of type ' + resource.kind + ')');
  const object = structuredClone(body);
  const apiVersion = apiVersionOf(resource);
  if (object.kind !== undefined && object.kind !== resource.kind)
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: converting (${object.kind}) to (${resource.group || 'core'}.${resource.kind}): unknown conversion`,
    );
  if (object.apiVersion !== undefined && object.apiVersion !== apiVersion)
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  if (object.metadata !== undefined && (typeof object.metadata !== 'object' || Array.isArray(object.metadata)))
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: json: cannot unmarshal ${typeof object.metadata} into Go struct field ObjectMeta.metadata of type v1.ObjectMeta`,
    );
  return { ...object, kind: resource.kind, apiVersion, metadata: { ...object.metadata } };
}
