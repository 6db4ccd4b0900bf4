/** What a user may do, asked by the user: SelfSubjectAccessReview and its siblings, and service account tokens. */
import { timestamp } from '../kubelet/podstatus.ts';
import { type Authenticator, issuer } from './authentication.ts';
import type { Authorizer } from './authorization.ts';
import { badRequest, field, invalid, notFound } from './status.ts';
import type { Json, User } from './types.ts';

export function selfSubjectAccessReview(authorizer: Authorizer, user: User, body: Json): Json {
  const spec = body?.spec ?? {};
  const { resourceAttributes: r, nonResourceAttributes: path } = spec;
  if (!r === !path) throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  const allowed = r
    ? authorizer.allows(user, {
        verb: r.verb ?? '',
        group: r.group ?? '',
        resource: r.resource ?? '',
        subresource: r.subresource || undefined,
        namespace: r.namespace || undefined,
        name: r.name || undefined,
      })
    : authorizer.allowsPath(user, path.path, path.verb);
  return {
    kind: 'SelfSubjectAccessReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec,
    status: { allowed },
  };
}

export function subjectAccessReview(authorizer: Authorizer, body: Json): Json {
  const { user = '', groups = [], ...spec } = body?.spec ?? {};
  const { status } = selfSubjectAccessReview(authorizer, { name: user, groups }, { spec });
  return { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec: body.spec, status };
}

export function selfSubjectRulesReview(authorizer: Authorizer, user: User, body: Json): Json {
  const namespace = body?.spec?.namespace;
  if (!namespace) throw badRequest('no namespace on request');
  const rules = authorizer.rulesFor(user, namespace);
  const status = {
    resourceRules: rules
      .filter((rule) => rule.resources)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames ? { resourceNames } : {}),
      })),
    nonResourceRules: rules
      .filter((rule) => rule.nonResourceURLs)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
  return { kind: 'SelfSubjectRulesReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec: {}, status };
}

export function selfSubjectReview(user: User): Json {
  const userInfo = {
    username: user.name,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: user.groups,
    ...(user.extra ? { extra: user.extra } : {}),
  };
  return {
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: timestamp() },
    status: { userInfo },
  };
}

const shortestSeconds = 600;

export function tokenRequest(authenticator: Authenticator, namespace: string, account: string, body: Json): Json {
  const audiences = body?.spec?.audiences?.length ? body.spec.audiences : [issuer];
  const seconds = body?.spec?.expirationSeconds ?? 3600;
  if (seconds < shortestSeconds)
    throw invalid('authentication.k8s.io', 'TokenRequest', '', [
      field.invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'),
    ]);
  const issued = authenticator.issue({ namespace, account, audiences, seconds });
  if (!issued) throw notFound('', 'serviceaccounts', account);
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: account, namespace, creationTimestamp: timestamp() },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: null },
    status: { token: issued.token, expirationTimestamp: timestamp(issued.expires) },
  };
}
