/** AdmissionReview v1, in the order of fields in which the API server writes it, and what it accepts as an answer. */
import { randomUUID } from 'node:crypto';
import { inOrder } from '../api/order.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { type AdmissionAttributes, requestOf } from './attributes.ts';

export interface Verdict {
  readonly allowed: boolean;
  /** JSON Patch. */
  readonly patch: Json[];
  readonly warnings: readonly string[];
  /** Why it was refused, if the webhook says. */
  readonly status: Json;
}

export function admissionReview(attributes: AdmissionAttributes, object: KubeObject): Json {
  const { dryRun, ...request } = requestOf(attributes, randomUUID());
  const written = (one: KubeObject) => inOrder(one.kind === 'Pod' ? { status: {}, ...one } : one);
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      ...request,
      object: written(object),
      oldObject: attributes.oldObject ? written(attributes.oldObject) : null,
      dryRun,
      options: attributes.options,
    },
  };
}

/** Reads an answer. Throws what is wrong with it. */
export function readReview(uid: string, body: string): Verdict {
  const review = parse(body, "couldn't get version/kind; json parse error");
  if (review.apiVersion !== 'admission.k8s.io/v1' || review.kind !== 'AdmissionReview')
    throw new Error(
      `received invalid webhook response: expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${review.apiVersion}, Kind=${review.kind}`,
    );
  const { response } = review;
  if (!response) throw new Error('received invalid webhook response: webhook response was absent');
  if (response.uid !== uid)
    throw new Error(
      `received invalid webhook response: expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid)}`,
    );
  if ((response.patch !== undefined) !== (response.patchType !== undefined))
    throw new Error(
      'received invalid webhook response: webhook returned response.patch and response.patchType that do not go together',
    );
  if (response.patchType !== undefined && response.patchType !== 'JSONPatch')
    throw new Error(
      `received invalid webhook response: webhook returned invalid response.patchType of "${response.patchType}"`,
    );
  const decoded =
    response.patch === undefined
      ? []
      : parse(Buffer.from(response.patch, 'base64').toString(), 'received undecodable patch in webhook response');
  return {
    allowed: response.allowed === true,
    patch: decoded,
    warnings: response.warnings ?? [],
    status: response.status,
  };
}

function parse(text: string, why: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${why}: ${(error as Error).message}`);
  }
}
