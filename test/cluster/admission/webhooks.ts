/** MutatingWebhookConfiguration: each webhook that matches is asked, one after the other. */
import { isDeepStrictEqual } from 'node:util';
import { applyPatch } from '../api/patch.ts';
import { resourceNamed } from '../api/resources.ts';
import { ApiError, badRequest, forbidden, internal } from '../api/status.ts';
import type { Store } from '../api/store.ts';
import type { Json, KubeObject } from '../api/types.ts';
import { decodeFields } from '../openapi/fields.ts';
import type { AdmissionAttributes, Warn } from './attributes.ts';
import { callWebhook, type DialService } from './call.ts';
import { celContext, matchesConditions, matchesRule, matchesSelectors } from './matching.ts';
import type { Reinvocation } from './reinvocation.ts';
import { admissionReview, readReview, type Verdict } from './review.ts';

const configurations = resourceNamed('mutatingwebhookconfigurations');

export interface WebhookRound {
  readonly second: boolean;
  readonly dial: DialService;
  readonly warn: Warn;
  defaulted(object: KubeObject): KubeObject;
}

/** The object as the webhooks leave it. Throws what the request is refused with. */
export async function callWebhooks(
  store: Store,
  attributes: AdmissionAttributes,
  object: KubeObject,
  reinvocation: Reinvocation,
  { second, dial, warn, defaulted }: WebhookRound,
): Promise<KubeObject> {
  reinvocation.begin(object, second);
  let current = object;
  for (const configuration of store.list(configurations))
    for (const webhook of configuration.webhooks ?? []) {
      const key = `${configuration.metadata.name}/${webhook.name}`;
      try {
        if (!isMatched(store, webhook, attributes, current)) continue;
        if (!meetsConditions(store, webhook, attributes, current)) continue;
        if (second && !reinvocation.isDue(key)) continue;
        const verdict = await ask(webhook, attributes, current, dial);
        for (const text of verdict.warnings) warn(text);
        if (!verdict.allowed) throw denied(webhook.name, verdict.status);
        const before = current;
        if (verdict.patch.length > 0) current = defaulted(patched(current, verdict.patch));
        if (!isDeepStrictEqual(before, current)) reinvocation.changed();
      } catch (error) {
        if (error instanceof ApiError) throw error;
        if (webhook.failurePolicy !== 'Ignore')
          throw internal(`failed calling webhook ${JSON.stringify(webhook.name)}: ${(error as Error).message}`);
      }
      reinvocation.called(key, webhook.reinvocationPolicy);
    }
  reinvocation.end(current);
  return current;
}

function isMatched(store: Store, webhook: Json, attributes: AdmissionAttributes, object: KubeObject): boolean {
  if (!(webhook.rules ?? []).some((rule: Json) => matchesRule(rule, attributes))) return false;
  return matchesSelectors(webhook, attributes, object, store);
}

/** A condition that cannot be evaluated refuses the request, or lets it pass the webhook by, as the failure policy says. */
function meetsConditions(store: Store, webhook: Json, attributes: AdmissionAttributes, object: KubeObject): boolean {
  try {
    return matchesConditions(webhook.matchConditions, celContext(attributes, object, store));
  } catch (error) {
    if (webhook.failurePolicy === 'Ignore') return false;
    const { resource, name } = attributes;
    throw forbidden(resource.group, resource.resource, name, (error as Error).message);
  }
}

async function ask(
  webhook: Json,
  attributes: AdmissionAttributes,
  object: KubeObject,
  dial: DialService,
): Promise<Verdict> {
  if (attributes.dryRun && !['None', 'NoneOnDryRun'].includes(webhook.sideEffects))
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
  const review = admissionReview(attributes, object);
  const timeoutMs = webhook.timeoutSeconds * 1000;
  const answer = await callWebhook(webhook.clientConfig, JSON.stringify(review), timeoutMs, dial);
  return readReview(review.request.uid, answer);
}

/** Throws what no failure policy lets pass: a patch that does not apply, or whose result is no such object. */
function patched(object: KubeObject, patch: Json[]): KubeObject {
  try {
    return decodeFields(applyPatch('application/json-patch+json', object, patch)).object;
  } catch (error) {
    throw internal((error as Error).message);
  }
}

function denied(name: string, status: Json): ApiError {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = status?.message || status?.reason;
  const code = status?.code >= 400 ? status.code : 400;
  return new ApiError(code, status?.reason ?? '', why ? `${by}: ${why}` : `${by} without explanation`, status?.details);
}
