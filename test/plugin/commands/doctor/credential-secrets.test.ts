import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

/** The report in each form, and what is said beside it. */
async function everything(...args: string[]): Promise<string> {
  const runs = await Promise.all(
    [[], ['-o', 'json'], ['-o', 'yaml']].map((format) => stage.run(['doctor', ...format, ...args])),
  );
  expect(runs.every(({ stdout }) => stdout.length > 100)).toBe(true);
  return runs.map(({ stdout, stderr }) => stdout + stderr).join('\n');
}

const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJlLW9mLWphbmU';

describe('no secret of the kubeconfig is printed', () => {
  it('when all is well', async () => {
    await stage.kubeconfig({ token: jwt });
    const said = await everything();
    expect(said).toContain('jane');
    expect(said).not.toContain(jwt);
    expect(said).not.toContain('c2lnbmF0dXJl');
  });

  it('when the server repeats what it was sent', async () => {
    await stage.kubeconfig({ token: 'opaque-token-of-jane' });
    stage.rest = ({ path }) =>
      path === '/version'
        ? undefined
        : {
            status: 500,
            body: {
              kind: 'Status',
              message: `cannot use Bearer opaque-token-of-jane, nor opaque-token-of-jane, nor ${jwt}, nor -----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE----- of https://bob:hunter22@proxy/`,
            },
          };
    const said = await everything();
    expect(said).toContain('cannot use Bearer <masked>');
    expect(said).toContain('a bearer token');
    for (const secret of ['opaque-token-of-jane', jwt, 'MIIB', 'hunter22']) expect(said).not.toContain(secret);
  });

  it('with passwords, in addresses too', async () => {
    const { host } = new URL(stage.url);
    await stage.kubeconfig({ username: 'jane', password: 'pass-w0rd' }, { server: `http://carl:s3cretpw@${host}` });
    stage.rest = () => ({ status: 401, body: { kind: 'Status', message: 'pass-w0rd is not s3cretpw' } });
    const said = await everything();
    for (const secret of ['pass-w0rd', 's3cretpw', Buffer.from('jane:pass-w0rd').toString('base64')])
      expect(said).not.toContain(secret);
  });

  it('of a credential plugin that fails and tells its variables and arguments', async () => {
    const plugin = join(stage.directory, 'login');
    await writeFile(plugin, '#!/bin/sh\necho "login failed for $LOGIN_SECRET with $*" >&2\nexit 1\n');
    await chmod(plugin, 0o755);
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: plugin,
      args: ['--client-secret', 'arg-secret-1', '--api-token=arg-secret-2', '--region', 'north'],
      env: [{ name: 'LOGIN_SECRET', value: 'env-secret-3' }],
      interactiveMode: 'Never',
    };
    await stage.kubeconfig({ exec });
    const { stdout, stderr } = await stage.run(['doctor']);
    expect(stdout).toMatch(/^fail {2}credentials/m);
    expect(stdout).toContain('north');
    expect(stderr).toContain('login failed for <masked>');
    for (const secret of ['arg-secret-1', 'arg-secret-2', 'env-secret-3'])
      expect(stdout + stderr).not.toContain(secret);
  });

  it('of other users and auth providers in the same files, and of flags', async () => {
    await stage.kubeconfig({
      'auth-provider': { name: 'oidc', config: { 'client-secret': 'oidc-secret', 'id-token': 'oidc-id-token' } },
    });
    stage.rest = () => ({ status: 403, body: 'oidc-secret oidc-id-token flag-token-9' });
    const said = await everything('--token', 'flag-token-9');
    for (const secret of ['oidc-secret', 'oidc-id-token', 'flag-token-9']) expect(said).not.toContain(secret);
  });

  it('and no value of a variable of a pod', async () => {
    stage.rest = ({ path }) =>
      path.endsWith('/pods/api-0')
        ? {
            status: 200,
            body: {
              metadata: { name: 'api-0', namespace: 'shop' },
              spec: {
                containers: [
                  {
                    name: 'app',
                    args: ['--db-password=arg-of-the-app', '--permission'],
                    env: [
                      { name: 'NODEOPS_TOKEN', value: 'agent-token-value' },
                      { name: 'NODEOPS_PROT', value: 'slip-value' },
                      { name: 'NODE_OPTIONS', value: '--disable-sigusr1 --title=options-value' },
                    ],
                  },
                ],
              },
              status: { phase: 'Pending' },
            },
          }
        : undefined;
    const said = await everything('pod/api-0');
    expect(said).toContain('NODEOPS_TOKEN');
    for (const value of ['arg-of-the-app', 'agent-token-value', 'slip-value', 'options-value'])
      expect(said).not.toContain(value);
  });
});
