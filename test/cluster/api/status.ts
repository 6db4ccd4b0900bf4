/** Kubernetes' Status objects and the wording of its errors (apimachinery/pkg/api/errors). */
import type { Json } from './types.ts';

export interface Cause {
  reason?: string;
  message: string;
  field?: string;
}

/** Thrown anywhere in the API server; becomes the response. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Json;
  /** Plain text instead of a Status object, as the kubelet answers. */
  readonly plain: boolean;

  constructor(code: number, reason: string, message: string, details?: Json, plain = false) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
    this.plain = plain;
  }

  toStatus(): Json {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason ? { reason: this.reason } : {}),
      ...(this.details ? { details: this.details } : {}),
      code: this.code,
    };
  }
}

function details(group: string, kind: string, name?: string, extra: Json = {}): Json {
  return { ...(name ? { name } : {}), ...(group ? { group } : {}), kind, ...extra };
}

function qualified(group: string, resource: string): string {
  return group ? `${resource}.${group}` : resource;
}

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message);
export const unauthorized = () => new ApiError(401, 'Unauthorized', 'Unauthorized');
export const notFound = (group: string, resource: string, name: string) =>
  new ApiError(404, 'NotFound', `${qualified(group, resource)} "${name}" not found`, details(group, resource, name));

export const methodNotAllowed = () =>
  new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const alreadyExists = (group: string, resource: string, name: string) =>
  new ApiError(
    409,
    'AlreadyExists',
    `${qualified(group, resource)} "${name}" already exists`,
    details(group, resource, name),
  );
export const conflict = (group: string, resource: string, name: string, why: string) =>
  new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(group, resource)} "${name}": ${why}`,
    details(group, resource, name),
  );
export const unsupportedMediaType = (message: string) => new ApiError(415, 'UnsupportedMediaType', message, {});
export const gone = (message: string) => new ApiError(410, 'Expired', message);
export const internal = (message: string) =>
  new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
/** What the kubelet says, passed on as it is. */
export const kubelet = (code: number, text: string) => new ApiError(code, '', text, undefined, true);

/** `why` is what follows `is forbidden: `; empty as a real server leaves it for the second check of a WebSocket. */
export const forbidden = (group: string, resource: string, name: string | undefined, why: string) =>
  new ApiError(
    403,
    'Forbidden',
    `${qualified(group, resource)}${name ? ` "${name}"` : ''} is forbidden: ${why}`,
    details(group, resource, name),
  );

export const invalid = (group: string, kind: string, name: string, causes: Required<Cause>[]) => {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const message = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new ApiError(
    422,
    'Invalid',
    `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${message}`,
    details(group, kind, name, { causes }),
  );
};

/** Causes of a 422 in the words of apimachinery/pkg/util/validation/field. */
export const field = {
  required: (path: string, detail = '') => ({
    reason: 'FieldValueRequired',
    message: `Required value${detail && `: ${detail}`}`,
    field: path,
  }),
  invalid: (path: string, value: unknown, detail: string) => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
    field: path,
  }),
  duplicate: (path: string, value: unknown) => ({
    reason: 'FieldValueDuplicate',
    message: `Duplicate value: ${JSON.stringify(value)}`,
    field: path,
  }),
  forbidden: (path: string, detail: string) => ({
    reason: 'FieldValueForbidden',
    message: `Forbidden: ${detail}`,
    field: path,
  }),
  tooLong: (path: string, bytes: number) => ({
    reason: 'FieldValueTooLong',
    message: `Too long: may not be more than ${bytes} bytes`,
    field: path,
  }),
  notFound: (path: string, value: unknown) => ({
    reason: 'FieldValueNotFound',
    message: `Not found: ${JSON.stringify(value)}`,
    field: path,
  }),
  notSupported: (path: string, value: unknown, choices: string[]) => ({
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${choices.map((c) => JSON.stringify(c)).join(', ')}`,
    field: path,
  }),
};
