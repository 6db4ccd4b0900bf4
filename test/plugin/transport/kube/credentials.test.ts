import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { KubeApi } from '../../../../src/plugin/transport/kube/api.ts';
import { loadConnection } from '../../../../src/plugin/transport/kube/config.ts';
import type { KubeOptions } from '../../../../src/plugin/transport/kube/options.ts';
import { NodeopsError } from '../../../../src/protocol/errors.ts';
import { CertificateAuthority } from '../../../cluster/api/certificates.ts';
import { startServer, type TestServer } from './server.ts';

const authority = new CertificateAuthority();
const serverCertificate = authority.issue({ commonName: 'apiserver', hosts: ['127.0.0.1', 'apiserver.test'] });
const client = authority.issue({ commonName: 'jane' });
const base64 = (text: string) => Buffer.from(text).toString('base64');
/** What kubectl wants of every credential plugin. */
const plugin = (exec: object) => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never', ...exec },
});
const ca = { 'certificate-authority-data': base64(authority.certificate) };

let dir: string;
let server: TestServer;
let peer: string | undefined;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'nodeops-credentials-'));
  server = await startServer({
    rest: () => ({ status: 200, body: {} }),
    tls: {
      cert: serverCertificate.certificate,
      key: serverCertificate.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
  });
});
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

async function apiFor(
  cluster: object,
  user: object,
  options: KubeOptions = {},
  env: Record<string, string> = {},
  stderr = new PassThrough(),
): Promise<KubeApi> {
  const path = join(dir, 'config');
  await writeFile(
    path,
    stringify({
      'current-context': 'x',
      clusters: [{ name: 'x', cluster: { server: server.url, ...cluster } }],
      users: [{ name: 'x', user }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    }),
  );
  return new KubeApi(await loadConnection(options, { KUBECONFIG: path, PATH: process.env.PATH, ...env }), { stderr });
}

async function authorization(user: object, env: Record<string, string> = {}): Promise<string | undefined> {
  const api = await apiFor(ca, user, {}, env);
  await api.get('/version');
  await api.close();
  return server.seen.at(-1)!.headers.authorization;
}

async function failure(promise: Promise<unknown>): Promise<NodeopsError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(NodeopsError);
  return error as NodeopsError;
}

async function script(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`);
  await chmod(join(dir, name), 0o755);
  return join(dir, name);
}

describe('credentials', () => {
  it('token, token file, user name and password', async () => {
    await writeFile(join(dir, 'token'), 'from-file\n');
    expect(await authorization({ token: 'abc' })).toBe('Bearer abc');
    expect(await authorization({ token: 'abc', tokenFile: 'token' })).toBe('Bearer from-file');
    expect(await authorization({ username: 'jane', password: 'pw' })).toBe(`Basic ${base64('jane:pw')}`);
    expect(await authorization({})).toBeUndefined();
  });

  it('a client certificate reaches the server', async () => {
    const api = await apiFor(ca, {
      'client-certificate-data': base64(client.certificate),
      'client-key-data': base64(client.key),
    });
    const { agent, kind } = await api.credentials();
    agent.on('free', (socket: TLSSocket) => {
      peer = String(socket.getCertificate() && (socket.getCertificate() as { subject: { CN: string } }).subject.CN);
    });
    await api.get('/version');
    await new Promise((done) => setImmediate(done));
    await api.close();
    expect(kind).toBe('a client certificate');
    expect(peer).toBe('jane');
  });

  it('a credential plugin is run with KUBERNETES_EXEC_INFO and its env, found beside the kubeconfig, and heard on stderr', async () => {
    await script(
      'plugin',
      'echo log in at x >&2; test -z "$(cat)" || exit 9; printf \'{"status":{"token":"%s-%s"}}\' "$WHO" "$(echo "$KUBERNETES_EXEC_INFO" | tr -d \'{}":,\' | cut -c1-18)"',
    );
    const stderr = new PassThrough();
    const user = plugin({ command: './plugin', env: [{ name: 'WHO', value: 'me' }] });
    const api = await apiFor(ca, user, {}, {}, stderr);
    await api.get('/version');
    await api.close();
    expect(server.seen.at(-1)!.headers.authorization).toBe('Bearer me-kindExecCredential');
    expect(String(stderr.read())).toBe('log in at x\n');
  });

  it('a credential plugin that is not installed says how to install it', async () => {
    const api = await apiFor(ca, plugin({ command: 'nodeops-no-such-plugin', installHint: 'brew install it' }));
    const error = await failure(api.get('/version'));
    expect(error).toMatchObject({ code: 'unauthenticated', hint: 'brew install it' });
    expect(error.message).toContain("'nodeops-no-such-plugin' of the kubeconfig is not installed");
  });

  it('a credential plugin that fails is quoted', async () => {
    const command = await script('failing', 'echo your session is over >&2; exit 1');
    const error = await failure((await apiFor(ca, plugin({ command }))).get('/version'));
    expect(error.message).toContain('failed: exit code 1: your session is over');
  });

  it.each([
    ['{"status":{}}', 'its status has neither a token nor a client certificate'],
    ['{"kind":"ExecCredential"}', 'its status has neither a token nor a client certificate'],
    ['{"status":{"clientCertificateData":"x"}}', 'it gives a certificate without clientKeyData'],
    [
      '{"apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"t"}}',
      'it gives an ExecCredential of client.authentication.k8s.io/v1beta1, the kubeconfig wants client.authentication.k8s.io/v1',
    ],
    ['hello', 'its output is no ExecCredential'],
  ])('a credential plugin that prints %s is refused by what is wrong', async (printed, wrong) => {
    const command = await script('wrong', `echo '${printed}'`);
    const { code, message } = await failure((await apiFor(ca, plugin({ command }))).get('/version'));
    expect({ code, message }).toEqual({
      code: 'unauthenticated',
      message: `the credential plugin '${command}' of the kubeconfig failed: ${wrong}`,
    });
  });

  it('a credential plugin that may not be executed says so', async () => {
    const command = await script('no-bit', 'true');
    await chmod(command, 0o644);
    expect(await failure((await apiFor(ca, plugin({ command }))).get('/version'))).toMatchObject({
      message: `the credential plugin '${command}' of the kubeconfig may not be executed`,
      hint: `chmod +x ${command}`,
    });
  });

  it('a client certificate without its key says which field is missing', async () => {
    const api = await apiFor(ca, { 'client-certificate-data': base64(client.certificate) });
    expect(await failure(api.get('/version'))).toMatchObject({
      code: 'kubeconfig',
      message:
        "the client certificate of context 'x' (client-certificate-data) has no key: client-key and client-key-data are missing",
    });
  });

  it('a token given by flag keeps the plugin from being run', async () => {
    const api = await apiFor(ca, { exec: { command: 'nodeops-no-such-plugin' } }, { token: 't' });
    await api.get('/version');
    await api.close();
    expect(server.seen.at(-1)!.headers.authorization).toBe('Bearer t');
  });
});

describe('TLS', () => {
  it('checks the server, and says what is wrong with its certificate', async () => {
    const error = await failure((await apiFor({}, {})).get('/version'));
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.message).toContain('its certificate is signed by an unknown authority');
    const named = await failure((await apiFor({ ...ca, 'tls-server-name': 'other.test' }, {})).get('/version'));
    expect(named.message).toContain('its certificate is for another name');
  });

  it('takes tls-server-name and insecure-skip-tls-verify', async () => {
    const named = await apiFor({ ...ca, 'tls-server-name': 'apiserver.test' }, {});
    expect(await named.get('/version')).toEqual({});
    await named.close();
    const insecure = await apiFor({}, {}, { insecureSkipTlsVerify: true });
    expect(await insecure.get('/version')).toEqual({});
    await insecure.close();
  });

  it('says so when the server does not speak it', async () => {
    const plain = await startServer({});
    const error = await failure((await apiFor({ server: plain.url.replace('http:', 'https:') }, {})).get('/version'));
    await plain.close();
    expect(error.message).toContain('it does not speak TLS');
  });
});
