import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { Authenticator } from './api/authentication.ts';
import { resourceNamed } from './api/resources.ts';
import { Store } from './api/store.ts';

it('a token is accepted until it expires: the API issues none that a test could wait for', () => {
  const store = new Store();
  store.put(resourceNamed('serviceaccounts'), {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'reader', namespace: 'default', uid: 'u' },
  });
  const authenticator = new Authenticator(store);
  const userWith = (seconds: number) => {
    const { token } = authenticator.issue({ namespace: 'default', account: 'reader', seconds })!;
    return authenticator.authenticate({ headers: { authorization: `Bearer ${token}` } } as IncomingMessage);
  };
  expect(userWith(600).name).toBe('system:serviceaccount:default:reader');
  expect(() => userWith(-1)).toThrow('Unauthorized');
});
