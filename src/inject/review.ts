/** AdmissionReview v1 in and out. Every answer allows the pod: an injector that fails must not keep an app from starting. */
import { mutate } from './mutate.ts';
import { isPod } from './pod.ts';
import type { Settings } from './settings.ts';

export type Outcome = 'injected' | 'left-alone' | 'not-asked' | 'error';

export interface ReviewAnswer {
  readonly outcome: Outcome;
  readonly body: {
    readonly apiVersion: 'admission.k8s.io/v1';
    readonly kind: 'AdmissionReview';
    readonly response: {
      readonly uid: string;
      readonly allowed: true;
      readonly patchType?: 'JSONPatch';
      /** base64 of a JSON Patch */
      readonly patch?: string;
      readonly warnings?: readonly string[];
    };
  };
  /** What went wrong, for the log; undefined when nothing did. */
  readonly failure: unknown;
}

/** Kubernetes cuts warnings at 256 characters and drops those beyond 4,096 in all. */
const warningLimits = { characters: 256, count: 10 };

interface AdmissionRequest {
  readonly uid: string;
  readonly operation?: unknown;
  readonly subResource?: unknown;
  readonly resource?: { readonly group?: unknown; readonly version?: unknown; readonly resource?: unknown };
  readonly object?: unknown;
}

/**
 * Answers a decoded AdmissionReview. Throws a TypeError naming what is wrong when it is none (the caller answers 400, and
 * Kubernetes then goes on without us).
 */
export function answerReview(review: unknown, settings: Settings, namespaceAsks: boolean): ReviewAnswer {
  const request = requestOf(review);
  const isPodCreation =
    request.operation === 'CREATE' &&
    !request.subResource &&
    request.resource?.group === '' &&
    request.resource.version === 'v1' &&
    request.resource.resource === 'pods';
  if (!isPodCreation) return answer(request.uid, 'not-asked');
  if (!isPod(request.object))
    return answer(request.uid, 'error', { failure: new TypeError('the object is not a Pod as expected') });
  try {
    const { patch, warnings } = mutate(request.object, { settings, namespaceAsks });
    const outcome = warnings.length > 0 ? 'left-alone' : patch.length > 0 ? 'injected' : 'not-asked';
    return answer(request.uid, outcome, { patch, warnings });
  } catch (failure) {
    return answer(request.uid, 'error', {
      failure,
      warnings: ['this pod was not injected, see the log of the injector'],
    });
  }
}

function requestOf(review: unknown): AdmissionRequest {
  const { apiVersion, kind, request } = (review ?? {}) as Record<string, unknown>;
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    throw new TypeError('the body is no AdmissionReview of admission.k8s.io/v1');
  const uid = (request as { uid?: unknown } | null | undefined)?.uid;
  if (typeof uid !== 'string' || uid === '') throw new TypeError('the AdmissionReview has no request.uid');
  return request as AdmissionRequest;
}

function answer(
  uid: string,
  outcome: Outcome,
  {
    patch = [],
    warnings = [],
    failure,
  }: { patch?: readonly object[]; warnings?: readonly string[]; failure?: unknown } = {},
): ReviewAnswer {
  return {
    outcome,
    failure,
    body: {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid,
        allowed: true,
        ...(patch.length > 0
          ? { patchType: 'JSONPatch' as const, patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
          : {}),
        ...(warnings.length > 0 ? { warnings: warnings.slice(0, warningLimits.count).map(shown) } : {}),
      },
    },
  };
}

function shown(warning: string): string {
  return `nodeops: ${warning}`.slice(0, warningLimits.characters);
}
