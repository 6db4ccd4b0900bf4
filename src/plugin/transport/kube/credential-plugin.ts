/** Credential plugins (`exec` in a kubeconfig): run as kubectl runs them, and what is wrong with them in words. */
import { spawn } from 'node:child_process';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import { permittedProgram } from './credential-policy.ts';
import type { HttpsOptions } from './https-options.ts';
import type { ExecEntry } from './kubeconfig.ts';

/** How long a credential plugin may take; a login in the browser counts. */
const pluginTimeoutMs = 120_000;
const pluginOutputLimitBytes = 1024 * 1024;

/** Puts what a credential plugin gives into `options`. Throws `unauthenticated`. */
export async function askPlugin(
  connection: Connection,
  exec: ExecEntry,
  options: HttpsOptions,
  stderr: NodeJS.WritableStream | undefined,
): Promise<void> {
  const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
  const auth = new ExecAuth();
  const env = { ...connection.env, KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(connection, exec)) };
  for (const { name, value } of exec.env ?? []) (env as Record<string, string>)[name] = value;
  const program = await permittedProgram(connection, exec).catch((error: NodeJS.ErrnoException) => {
    throw error instanceof NodeopsError ? error : pluginFailed(exec, error, undefined, '');
  });
  let said = '';
  let printed = '';
  let ended: number | string | null = 0;
  const run = (_: string, args: readonly string[] | null | undefined) => {
    const child = spawn(program, args ?? [], { env, timeout: pluginTimeoutMs, stdio: ['pipe', 'pipe', 'pipe'] });
    // a plugin that reads its input gets its end instead of waiting for ever
    child.stdin.on('error', () => {}).end();
    let size = 0;
    const bounded = (chunk: Buffer) => {
      size += chunk.length;
      if (size > pluginOutputLimitBytes) child.kill();
    };
    child.once('exit', (code, signal) => {
      ended = code ?? signal;
    });
    child.stdout.on('data', (chunk: Buffer) => {
      bounded(chunk);
      printed += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      bounded(chunk);
      said = (said + chunk).slice(-2_000);
      stderr?.write(chunk);
    });
    return child;
  };
  // the library's own spawn leaves the plugin's stdin open and drops KUBERNETES_EXEC_INFO
  Object.assign(auth, { execFn: run });
  try {
    await auth.applyAuthentication({ name: 'user', exec } as never, options as never);
  } catch (error) {
    const how = ended === 0 ? wrongIn(printed, exec) : exitOf(ended);
    throw pluginFailed(exec, error as NodeJS.ErrnoException, how, said.trim());
  }
  const wrong = wrongIn(printed, exec);
  if (wrong) throw pluginFailed(exec, undefined, wrong, '');
}

function exitOf(ended: number | string | null): string {
  return typeof ended === 'number' ? `exit code ${ended}` : `ended by ${ended}`;
}

/** What kubectl would refuse in the printed credential; undefined for nothing. */
function wrongIn(printed: string, exec: ExecEntry): string | undefined {
  try {
    const { apiVersion, status } = JSON.parse(printed) as { apiVersion?: string; status?: Record<string, unknown> };
    if (apiVersion && exec.apiVersion && apiVersion !== exec.apiVersion)
      return `it gives an ExecCredential of ${apiVersion.slice(0, 100)}, the kubeconfig wants ${exec.apiVersion}`;
    const { token, clientCertificateData: cert, clientKeyData: key } = status ?? {};
    if (!cert !== !key)
      return `it gives ${cert ? 'a certificate without clientKeyData' : 'a key without clientCertificateData'}`;
    return token || cert ? undefined : 'its status has neither a token nor a client certificate';
  } catch {
    return 'its output is no ExecCredential';
  }
}

function execInfo(connection: Connection, exec: ExecEntry): object {
  const { cluster } = connection;
  return {
    kind: 'ExecCredential',
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo && {
        cluster: {
          server: connection.server.href,
          'tls-server-name': cluster['tls-server-name'],
          'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
          'certificate-authority-data': cluster['certificate-authority-data'],
          'proxy-url': cluster['proxy-url'],
        },
      }),
    },
  };
}

function pluginFailed(
  exec: ExecEntry,
  cause: NodeJS.ErrnoException | undefined,
  how: string | undefined,
  said: string,
): NodeopsError {
  const plugin = `the credential plugin '${exec.command}' of the kubeconfig`;
  if (cause?.code === 'ENOENT')
    return new NodeopsError('unauthenticated', `${plugin} is not installed`, {
      cause,
      hint: exec.installHint?.trim() || `install '${exec.command}', or put it on the PATH`,
    });
  if (cause?.code === 'EACCES')
    return new NodeopsError('unauthenticated', `${plugin} may not be executed`, {
      cause,
      hint: `chmod +x ${exec.command}`,
    });
  const why = [how, said.split('\n').at(-1)].filter(Boolean).join(': ');
  return new NodeopsError('unauthenticated', `${plugin} failed: ${why || cause?.message}`, {
    cause,
    hint: [exec.command, ...(exec.args ?? [])].join(' '),
    detail: { said },
  });
}
