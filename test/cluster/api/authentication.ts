/** Who asks: client certificates and bearer tokens of service accounts. There is no anonymous user. */
import { generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { resourceNamed } from './resources.ts';
import { unauthorized } from './status.ts';
import type { Store } from './store.ts';
import type { User } from './types.ts';

export const issuer = 'https://kubernetes.default.svc.cluster.local';

interface TokenRequest {
  readonly namespace: string;
  readonly account: string;
  readonly audiences?: readonly string[] | undefined;
  readonly seconds: number;
  readonly pod?: { name: string; uid: string };
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class Authenticator {
  readonly #store: Store;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId = randomUUID();

  constructor(store: Store) {
    this.#store = store;
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#privateKey = pair.privateKey;
    this.#publicKey = pair.publicKey;
  }

  /** A JSON Web Token for a service account, bound to a pod if given. Undefined when the account does not exist. */
  issue({
    namespace,
    account,
    audiences = [issuer],
    seconds,
    pod,
  }: TokenRequest): { token: string; expires: Date } | undefined {
    const found = this.#store.get(resourceNamed('serviceaccounts'), namespace, account);
    if (!found) return undefined;
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      aud: audiences,
      exp: now + seconds,
      iat: now,
      iss: issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...(pod ? { pod } : {}),
        serviceaccount: { name: account, uid: found.metadata.uid },
      },
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${account}`,
    };
    const body = `${encode({ alg: 'ES256', kid: this.#keyId })}.${encode(payload)}`;
    const signature = sign('sha256', Buffer.from(body), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return { token: `${body}.${signature.toString('base64url')}`, expires: new Date((now + seconds) * 1000) };
  }

  /** Throws `401 Unauthorized`. */
  authenticate(request: IncomingMessage): User {
    const authorization = request.headers.authorization;
    if (authorization) {
      const user = this.#fromToken(/^Bearer\s+(\S+)$/i.exec(authorization)?.[1] ?? '');
      if (!user) throw unauthorized();
      return user;
    }
    const socket = request.socket as TLSSocket;
    if (!socket.authorized) throw unauthorized();
    const { subject, fingerprint256 = '' } = socket.getPeerCertificate();
    const { CN, O } = (subject ?? {}) as unknown as { CN?: string; O?: string | string[] };
    if (!CN) throw unauthorized();
    const credential = `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`;
    return {
      name: CN,
      groups: [...(O ? [O].flat() : []), 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [credential] },
    };
  }

  #fromToken(token: string): User | undefined {
    const [head, payload, signature] = token.split('.');
    if (!head || !payload || !signature) return undefined;
    const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')))
      return undefined;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (claims.exp * 1000 <= Date.now() || !claims.aud.includes(issuer)) return undefined;
    const { namespace, serviceaccount, pod } = claims['kubernetes.io'];
    const account = this.#store.get(resourceNamed('serviceaccounts'), namespace, serviceaccount.name);
    if (account?.metadata.uid !== serviceaccount.uid) return undefined;
    if (pod && this.#store.get(resourceNamed('pods'), namespace, pod.name)?.metadata.uid !== pod.uid) return undefined;
    return {
      name: claims.sub,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      uid: serviceaccount.uid,
      extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`] },
    };
  }
}

/** The user named by impersonation headers, and what must be allowed for it; undefined without such headers. */
export function impersonation(
  request: IncomingMessage,
): { user: User; needs: { resource: string; name: string; namespace?: string }[] } | undefined {
  const one = (name: string) => [request.headers[name]].flat()[0];
  const name = one('impersonate-user');
  // repeated headers: node joins them, so read the raw list
  const groups: string[] = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2)
    if (request.rawHeaders[i]!.toLowerCase() === 'impersonate-group') groups.push(request.rawHeaders[i + 1]!);
  const uid = one('impersonate-uid');
  if (!name && groups.length === 0 && !uid) return undefined;
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name ?? '');
  const needs = [
    account
      ? { resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! }
      : { resource: 'users', name: name ?? '' },
    ...groups.map((group) => ({ resource: 'groups', name: group })),
    ...(uid ? [{ resource: 'uids', name: uid }] : []),
  ];
  const own =
    account && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : groups;
  const user = { name: name ?? '', groups: [...own, 'system:authenticated'], ...(uid ? { uid } : {}) };
  return { user, needs };
}
