/** What the API server answered instead of success, as one of our errors. */
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';

/** The parts of a Kubernetes `Status` that are used. */
export interface Status {
  readonly kind: 'Status';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { reason?: string; message?: string }[];
  };
  readonly code?: number;
  /** It was no Status that was answered, but this text. */
  readonly plain?: true;
}

/** A right that RBAC grants: what a rule says. */
export interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly subresource?: string | undefined;
  readonly group?: string | undefined;
  /** undefined: cluster-wide */
  readonly namespace?: string | undefined;
}

/** The Status in a reply's body, or its text as a Status. */
export function parseStatus(body: string): Status {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status')
      return value as Status;
  } catch {
    // plain text is said, too: the kubelet's errors come that way
  }
  return { kind: 'Status', message: body.trim().slice(0, 500), plain: true };
}

const forbiddenMessage =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"/]+)(?:\/(?<subresource>[^"]+))?" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)")?/;

/** Who lacks which right, if the API server's message says so. */
export function parseForbidden(message: string): { user: string; right: Right } | undefined {
  const groups = forbiddenMessage.exec(message)?.groups;
  if (!groups) return undefined;
  const { user, verb, resource, subresource, group, namespace } = groups;
  return { user: user!, right: { verb: verb!, resource: resource!, subresource, group, namespace } };
}

/** `forbidden`, with the command that would grant the right. `rights` are all that the operation needs. */
export function forbidden(
  connection: Connection,
  missing: { user?: string | undefined; right: Right },
  rights: readonly Right[],
): NodeopsError {
  const { right } = missing;
  const who = missing.user ? `user '${missing.user}'` : `the user of ${connection.source}`;
  const where = right.namespace ? `in namespace '${right.namespace}'` : 'in all namespaces';
  return new NodeopsError('forbidden', `${who} may not ${right.verb} ${resourceOf(right)} ${where}`, {
    hint: grantCommand(connection.administrator, rights.length > 0 ? rights : [right]),
    detail: { user: missing.user ?? null, ...right },
  });
}

function resourceOf({ resource, subresource, group }: Right): string {
  return `${resource}${group ? `.${group}` : ''}${subresource ? `/${subresource}` : ''}`;
}

function grantCommand(kubectl: string, rights: readonly Right[]): string {
  const namespace = rights[0]!.namespace;
  const verbs = [...new Set(rights.map(({ verb }) => verb))].join(',');
  const resources = [...new Set(rights.map(resourceOf))].join(',');
  const [kind, binding] = namespace ? ['role', 'rolebinding'] : ['clusterrole', 'clusterrolebinding'];
  const where = namespace ? ` -n ${namespace}` : '';
  return `an administrator can grant it: ${kubectl} create ${kind} nodeops --verb=${verbs} --resource=${resources}${where}, and bind it with a ${binding}`;
}

/** An answer that no API server gives: a redirect, a page, or that it does not know what each of them has. */
export function isForeign(httpStatus: number, { plain, reason, message = '' }: Status, what: string): boolean {
  if (httpStatus < 400) return true;
  if (plain && isPage(message) && httpStatus < 500) return true;
  if (httpStatus !== 404 || reason === 'NotFound') return false;
  // a kubelet's words, passed on: of a pod that it does not know yet, or any more
  if (plain && /\/pods\/[^/]+\/[a-z]+$/.test(what) && message !== '404 page not found') return false;
  // in these words an API server says that it has no such group of resources; it always has these
  return message !== '404 page not found' || /^\S+ \/(?:api|apis\/(?:apps|batch))\//.test(what);
}

/** `unreachable`: whatever listens there is something else. `what` is a method and path. */
export function notKubernetes(connection: Connection, httpStatus: number, what: string, cause?: unknown): NodeopsError {
  const { server, source, kubectl } = connection;
  const url = `${server.origin}${server.pathname.replace(/\/$/, '')}`;
  const message = `what answers at ${url} (${source}) is no Kubernetes API server: it answered ${httpStatus} to ${what}`;
  return new NodeopsError('unreachable', message, {
    cause,
    hint: `check the server's address, its path too, then: ${kubectl} version`,
  });
}

const isPage = (text: string) => /^<(?:!doctype|html|head|body|\?xml)\b/i.test(text);

/** Any other refusal of a REST call, with the server's own words. */
export function refused(connection: Connection, httpStatus: number, status: Status, what: string): NodeopsError {
  const page = status.plain && isPage(status.message ?? '');
  const said = page ? `HTTP ${httpStatus} from a proxy before it` : status.message || `HTTP ${httpStatus}`;
  const busy = httpStatus >= 500 || httpStatus === 429;
  const code = httpStatus === 404 ? 'nothing-matched' : busy ? 'unreachable' : 'failed';
  return new NodeopsError(code, `the API server refused ${what}: ${said}`, {
    hint: busy ? `${connection.kubectl} get --raw /readyz` : `${connection.kubectl} auth whoami`,
    detail: { status: httpStatus, said, ...(status.reason && { reason: status.reason }) },
  });
}
