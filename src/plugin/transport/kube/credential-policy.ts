/**
 * Which programs a kubeconfig may have run: those that kubectl would run, by its checks of `exec` and `auth-provider` and by the credential plugin
 * policy of the user's kuberc. Rules and refusals compared with kubectl 1.36; an older one, which knows no policy, is no reason to ignore it.
 */
import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join, normalize, sep } from 'node:path';
import { NodeopsError } from '../../../protocol/errors.ts';
import type { Connection } from './connection.ts';
import type { ExecEntry, UserEntry } from './kubeconfig.ts';

const apiVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
/** Auth providers that kubectl had once, and what took their place. */
const removed: Readonly<Record<string, string>> = {
  gcp: 'install gke-gcloud-auth-plugin, then: gcloud container clusters get-credentials CLUSTER',
  azure: 'install kubelogin, then: kubelogin convert-kubeconfig',
};
/** A kuberc this large is something else. */
const preferencesLimitBytes = 1024 * 1024;

/** Throws `kubeconfig` for what kubectl refuses of a user before it runs or sends anything. */
export function checkUser({ exec, 'auth-provider': provider }: UserEntry, { source, kubectl }: Connection): void {
  const refuse = (message: string, hint = `${kubectl} config view`): never => {
    throw new NodeopsError('kubeconfig', `the user of ${source} ${message}`, { hint });
  };
  if (provider) {
    if (exec) refuse('has both a credential plugin (exec) and an auth-provider');
    if (Object.hasOwn(removed, provider.name))
      refuse(`has the auth provider '${provider.name}', which kubectl no longer has`, removed[provider.name]);
    if (provider.name !== 'oidc') refuse(`has the auth provider '${provider.name}', which kubectl does not know`);
  }
  if (!exec) return;
  const { command, apiVersion, interactiveMode, env } = exec;
  if (!command) refuse('has a credential plugin without a command');
  if (!apiVersion) refuse(`has the credential plugin '${command}' without an apiVersion`);
  if (!apiVersions.includes(apiVersion!)) refuse(`has a credential plugin of the apiVersion '${apiVersion}'`);
  if (apiVersion === apiVersions[0] && !interactiveMode)
    refuse(`has the credential plugin '${command}' without an interactiveMode`);
  if (interactiveMode && !['Never', 'IfAvailable', 'Always'].includes(interactiveMode))
    refuse(`has a credential plugin of the interactiveMode '${interactiveMode}'`);
  if (interactiveMode === 'Always')
    refuse(
      `has the credential plugin '${command}', which wants a terminal of its own (interactiveMode: Always)`,
      `get a token with it, and give that: --token TOKEN`,
    );
  if (env?.some(({ name }) => !name)) refuse(`has the credential plugin '${command}' with a variable without a name`);
}

/** The program to start, found as kubectl finds it. Throws `unauthenticated` where the user's kuberc does not allow it. */
export async function permittedProgram(connection: Connection, exec: ExecEntry): Promise<string> {
  const command = exec.command!;
  const policy = await readPolicy(connection);
  const refuse = (why: string): never => {
    const message = `the credential plugin '${command}' of the kubeconfig is not run: ${why}`;
    throw new NodeopsError('unauthenticated', message, { hint: `see credentialPluginPolicy in ${policy?.file}` });
  };
  if (policy?.rule === 'DenyAll') refuse(`${policy.file} allows none`);
  const program = await lookUp(command, connection.env);
  if (policy?.rule === 'Allowlist') {
    const allowed = await Promise.all(policy.allowed.map((name) => lookUp(name, connection.env).catch(() => name)));
    if (!allowed.includes(program)) refuse(`${policy.file} does not list ${program}`);
  }
  return program;
}

/**
 * As Go's exec.LookPath does, by the variables nodeops runs with and not by those the kubeconfig gives the plugin. Never relative to the working
 * directory: what lies there is anybody's. A name that is not found is left to fail where it is started.
 */
async function lookUp(command: string, env: Connection['env']): Promise<string> {
  if (command.includes('/') || command.includes(sep)) return command;
  const names = process.platform === 'win32' ? [command, ...extensions(env).map((end) => command + end)] : [command];
  for (const directory of (env.PATH ?? env.Path ?? '').split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    for (const name of names) if (await isProgram(join(directory, name))) return join(directory, name);
  }
  throw Object.assign(new Error(`${command} is not on the PATH`), { code: 'ENOENT' });
}

function extensions({ PATHEXT }: Connection['env']): string[] {
  return (PATHEXT ?? '.com;.exe;.bat;.cmd').split(';').filter(Boolean);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

interface Policy {
  readonly file: string;
  readonly rule: 'AllowAll' | 'DenyAll' | 'Allowlist';
  readonly allowed: readonly string[];
}

/** Undefined where there is no kuberc, or it says nothing of plugins. Throws `kubeconfig` for one that kubectl would refuse. */
async function readPolicy({ env, kuberc }: Connection): Promise<Policy | undefined> {
  if (env.KUBECTL_KUBERC?.toLowerCase() === 'false') return undefined;
  const named = kuberc || env.KUBERC;
  if (named === 'off') return undefined;
  const file = named || join(env.HOME || homedir(), '.kube', 'kuberc');
  const refuse = (message: string, cause?: unknown): never => {
    throw new NodeopsError('kubeconfig', `${file}, kubectl's preferences: ${message}`, {
      cause,
      hint: `correct it, or set KUBERC=off to do without`,
    });
  };
  let text = '';
  try {
    const size = (await stat(file)).size;
    if (size > preferencesLimitBytes) refuse('the file is too large');
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (!named && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    refuse((error as Error).message, error);
  }
  const { parseAllDocuments } = await import('yaml');
  const documents = [parseAllDocuments(text)].flat() as { errors: readonly Error[]; toJS(): unknown }[];
  const valid = documents
    .filter(({ errors }) => errors.length === 0)
    .map((document) => document.toJS() as Record<string, unknown> | null)
    .filter((value) => value?.kind === 'Preference' && String(value.apiVersion).startsWith('kubectl.config.k8s.io/'));
  // as kubectl does, a file at its usual place that says nothing of sense is passed over
  if (valid.length === 0) return named ? refuse('it holds no valid Preference') : undefined;
  // the first version knows nothing of plugins
  const preference = valid.find((value) => value?.apiVersion !== 'kubectl.config.k8s.io/v1alpha1');
  if (!preference) return undefined;
  const { credentialPluginPolicy: rule, credentialPluginAllowlist: list } = preference;
  if (rule !== 'Allowlist') {
    if (list != null) refuse(`credentialPluginAllowlist is for the policy Allowlist, this one is '${rule ?? ''}'`);
    if (!rule) return undefined;
    if (rule !== 'AllowAll' && rule !== 'DenyAll') return refuse(`unknown credentialPluginPolicy '${rule}'`);
    return { file, rule, allowed: [] };
  }
  if (!Array.isArray(list) || list.length === 0) return refuse('the policy Allowlist has no credentialPluginAllowlist');
  const allowed = list.map((entry) => String(entry?.name ?? entry?.command ?? ''));
  for (const name of allowed)
    if (!name || normalize(name) !== name) refuse(`credentialPluginAllowlist has the entry '${name}'`);
  return { file, rule, allowed };
}
