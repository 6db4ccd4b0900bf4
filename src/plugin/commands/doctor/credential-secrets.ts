/** Keeps secrets out of what is printed, so that it can be pasted in a ticket. Checks print none; this is the net below them. */
import { isSecretName } from '../../../secrets/names.ts';
import { Secrets } from '../../../secrets/secrets.ts';
import type { Credentials } from '../../transport/kube/https-options.ts';
import type { ExecEntry, Kubeconfig, UserEntry } from '../../transport/kube/kubeconfig.ts';
import type { KubeOptions } from '../../transport/kube/options.ts';

/** What a kubeconfig and its credential plugins hold is masked, beside all that looks like a secret. */
export class CredentialSecrets extends Secrets {
  addOptions({ token, password, server }: KubeOptions): void {
    this.add(token, password, ...userinfo(server));
  }

  addKubeconfig({ clusters, users, contexts }: Kubeconfig): void {
    for (const { entry } of clusters.values())
      this.add(entry['certificate-authority-data'], ...userinfo(entry.server), ...userinfo(entry['proxy-url']));
    const names = new Set([...clusters.keys(), ...users.keys(), ...contexts.keys()]);
    for (const { entry } of users.values()) this.#addUser(entry, names);
  }

  /** What was sent in the end: tokens of files and of credential plugins. */
  addCredentials({ headers, tls }: Credentials): void {
    const [, sent] = /^\w+ (.*)$/.exec(String(headers.Authorization ?? '')) ?? [];
    this.add(sent, tls.key?.toString(), tls.cert?.toString());
  }

  #addUser(user: UserEntry, names: ReadonlySet<string>): void {
    this.add(user.token, user.password, user['client-certificate-data'], user['client-key-data']);
    this.add(...Object.values(user['auth-provider']?.config ?? {}).filter((value) => !names.has(String(value))));
    if (user.exec) this.add(...pluginSecrets(user.exec).filter((value) => !names.has(value)));
  }
}

/** Values of a credential plugin's variables, and of its flags that are named like a secret. */
function pluginSecrets({ env, args }: ExecEntry): string[] {
  const flags = (args ?? []).flatMap((arg, index) => {
    const [name = '', value] = arg.split(/=(.*)/s);
    if (!name.startsWith('-') || !isSecretName(name)) return [];
    return [value ?? args?.[index + 1] ?? ''];
  });
  return [...(env ?? []).map(({ value }) => value), ...flags];
}

function userinfo(url: string | undefined): string[] {
  const parsed = url === undefined ? null : URL.parse(url);
  return parsed ? [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password), parsed.password] : [];
}
