/** A request as admission sees it. */
import type { Resource } from '../api/resources.ts';
import type { Json, KubeObject, User } from '../api/types.ts';

export interface AdmissionAttributes {
  readonly operation: 'CREATE' | 'UPDATE';
  readonly resource: Resource;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  /** Empty where the server is still to draw it. */
  readonly name: string;
  readonly user: User;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions or PatchOptions, as sent to webhooks. */
  readonly options: Json;
  readonly oldObject?: KubeObject;
}

/** Gets a line for the `Warning` header of the answer. */
export type Warn = (text: string) => void;

const group = ({ group: name, version }: Resource) => ({ group: name, version });

/** `request` of an AdmissionReview, and of CEL expressions, without the objects. */
export function requestOf(attributes: AdmissionAttributes, uid: string): Json {
  const { resource, subresource, name, namespace, operation, user, dryRun } = attributes;
  const kind = { ...group(resource), kind: resource.kind };
  const what = { ...group(resource), resource: resource.resource };
  return {
    uid,
    kind,
    resource: what,
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kind,
    requestResource: what,
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups,
      ...(user.extra ? { extra: user.extra } : {}),
    },
    dryRun,
  };
}
